/** Refuses URLs that the server would never call; what a name leads to is seen when it is called. */
import type { EventBridge } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import type { Auth } from "./auth.ts";

/** @throws AwsError ValidationException */
export function requireReachable(
  { endpoints }: Pick<EventBridge, "endpoints">,
  parameter: string,
  url: string,
): void {
  const fault = endpoints.fault(url);
  if (fault !== undefined) throw invalidParameter(parameter, `${url} is not called: ${fault}.`);
}

/** Where a connection gets its tokens, if it does. @throws AwsError ValidationException */
export function requireReachableSignIn(eventBridge: Pick<EventBridge, "endpoints">, auth: Auth): Auth {
  const url = auth.OAuthParameters?.AuthorizationEndpoint;
  if (url !== undefined) requireReachable(eventBridge, "AuthorizationEndpoint", url);
  return auth;
}
