/** Says who calls: by signature with authentication on, by access key id alone with it off. */
import type { Clock } from "../../kit/clock.ts";
import type { AccessKeys } from "../authentication.ts";
import type { WireRequest } from "../http/wire-request.ts";
import type { Principal } from "../service.ts";
import type { Target } from "../route/target.ts";
import type { SignatureParts } from "./credential.ts";

export interface Caller {
  readonly principal: Principal;
  readonly region: string;
}

export interface Authenticator {
  authenticate(request: WireRequest, signature: SignatureParts | undefined, target: Target): Promise<Caller>;
}

interface AuthenticatorOptions {
  readonly authentication: "off" | "on";
  readonly accessKeys: AccessKeys;
  readonly clock: Clock;
  readonly defaultRegion: string;
}

const DEFAULT_ACCOUNT = "000000000000";
const ACCOUNT = /^\d{12}$/;

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  return {
    async authenticate(_request, signature) {
      const scope = signature?.scope;
      const region = scope?.region || options.defaultRegion;
      const record = scope && (await options.accessKeys.find(scope.accessKeyId));
      return { principal: record?.principal ?? rootOf(scope?.accessKeyId), region };
    },
  };
}

/** The root of the account that a 12-digit access key id names, else of the default account. */
function rootOf(accessKeyId: string | undefined): Principal {
  const account = accessKeyId !== undefined && ACCOUNT.test(accessKeyId) ? accessKeyId : DEFAULT_ACCOUNT;
  return { type: "root", account, arn: `arn:aws:iam::${account}:root`, userId: account, accessKeyId };
}
