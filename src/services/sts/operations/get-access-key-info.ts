/** GetAccessKeyInfo: the account that an access key belongs to. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output } from "../../../aws/service.ts";
import type { StsDeps } from "../deps.ts";

type Client = typeof import("@aws-sdk/client-sts");

export async function getAccessKeyInfo(
  { roles }: StsDeps,
  input: Input<Client, "GetAccessKeyInfo">,
): Promise<Output<Client, "GetAccessKeyInfo">> {
  const account = await roles.accountOf(input.AccessKeyId ?? "");
  if (account === undefined)
    throw new AwsError("ValidationError", `Invalid Access Key ID: ${input.AccessKeyId}`, {}, 400);
  return { Account: account };
}
