/** cognito-identity-provider (user pools): the only file that others import. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission } from "../../aws/index.ts";
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import { crossOrigin } from "./cross-origin.ts";
import type { UserPools, UserPoolsDeps } from "./deps.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { serveMessages } from "./messages/route.ts";
import { userPools as userPoolsMigration } from "./migrations/001-user-pools.ts";
import { devices } from "./migrations/002-devices.ts";
import { operationTable } from "./operation-table.ts";
import { serveHosted } from "./oauth/serve.ts";
import { SigningKeys } from "./tokens/signing-keys.ts";
import { serveWellKnown } from "./well-known.ts";

export type { UserPoolsDeps } from "./deps.ts";
export type { SmsRoles, TriggerFunctions } from "./ports.ts";
export { isHostedPage } from "./oauth/place.ts";
export { isWellKnown } from "./well-known.ts";

export interface UserPoolsService {
  readonly service: Service;
  /**
   * Answers what verifies tokens, and an operator who reads what would have been sent to users; false when the request is for something
   * else. @param admit The front door's.
   */
  ownRoute(request: IncomingMessage, response: ServerResponse, admit: Admission): boolean;
  stop(): Promise<void>;
}

/** User pools over a database. */
export async function createUserPools(deps: UserPoolsDeps): Promise<UserPoolsService> {
  await deps.database.migrate("cognito", [userPoolsMigration, devices]);
  const userPools: UserPools = { ...deps, keys: new SigningKeys(deps) };
  const housekeeping = startHousekeeping(userPools);
  return {
    service: {
      ...bindService("cognito-identity-provider", operationTable, userPools, authorization),
      crossOrigin,
    },
    ownRoute: (request, response, admit) =>
      serveHosted(userPools, request, response) ||
      serveWellKnown(userPools, request, response) ||
      serveMessages(userPools, request, response, admit),
    stop: () => housekeeping.stop(),
  };
}
