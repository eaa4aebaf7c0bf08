/** User pools, with Lambda's functions as their triggers. */
import type { Config } from "../config/index.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import { createUserPools } from "../services/cognito-identity-provider/index.ts";
import type {
  SmsRoles,
  TriggerFunctions,
  UserPoolsService,
} from "../services/cognito-identity-provider/index.ts";
import type { Functions } from "../services/lambda/index.ts";
import type { Database } from "../store/database.ts";
import type { Log } from "../telemetry/log.ts";

/** @param port Where the server answers: the issuer of tokens, where none is configured, is this machine's name for it. */
export function composeUserPools(
  { userPoolIssuer }: Config,
  { port }: { readonly port: number },
  base: { clock: Clock; ids: Ids; log: Log; database: Database },
  roles: SmsRoles,
  functions: () => Functions,
): Promise<UserPoolsService> {
  const here = `http://localhost:${port}`;
  const issuer = userPoolIssuer === "" ? here : userPoolIssuer.replace(/\/+$/, "");
  const pages = issuer === "aws" ? here : issuer;
  return createUserPools({ ...base, roles, functions: triggerFunctions(functions), issuer, pages });
}

function triggerFunctions(functions: () => Functions): TriggerFunctions {
  return {
    check: (functionArn, sourceArn, sourceAccount) =>
      functions().check(functionArn, { service: "cognito-idp.amazonaws.com", sourceArn, sourceAccount }),
    invoke: (functionArn, payload) => functions().invokeSync(functionArn, { payload, traceHeaders: [] }),
  };
}
