/** GetSessionToken: temporary credentials of the calling user or root. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { toCredentials } from "../credentials.ts";
import type { StsDeps } from "../deps.ts";

type Client = typeof import("@aws-sdk/client-sts");

const USER_SECONDS_DEFAULT = 43_200;
/** A root's session lasts an hour, whatever was asked for. */
const ROOT_SECONDS_MAX = 3_600;

export async function getSessionToken(
  { roles }: StsDeps,
  input: Input<Client, "GetSessionToken">,
  { principal }: RequestContext,
): Promise<Output<Client, "GetSessionToken">> {
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined)
    throw notImplemented("multi-factor authentication (SerialNumber, TokenCode) of GetSessionToken");
  if (principal.type === "assumed-role" || principal.accessKeyId?.startsWith("ASIA"))
    throw new AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", {}, 403);
  const asked = input.DurationSeconds ?? USER_SECONDS_DEFAULT;
  const seconds = principal.type === "root" ? Math.min(asked, ROOT_SECONDS_MAX) : asked;
  return { Credentials: toCredentials(await roles.ofCaller(principal, seconds)) };
}
