/** GetCallerIdentity: who the request was signed by. Needs no permission. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { StsDeps } from "../deps.ts";

type Client = typeof import("@aws-sdk/client-sts");

export function getCallerIdentity(
  _deps: StsDeps,
  _input: Input<Client, "GetCallerIdentity">,
  { principal }: RequestContext,
): Output<Client, "GetCallerIdentity"> {
  return { Account: principal.account, Arn: principal.arn, UserId: principal.userId };
}
