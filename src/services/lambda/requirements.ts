/** What a function needs before it is made: a role that trusts Lambda, a runtime, room for its code. */
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/service.ts";
import type { Runtimes } from "../../invoke/index.ts";
import type { Configuration } from "./configuration.ts";
import { accessDenied, invalidParameter } from "./errors.ts";
import type { LambdaLimits } from "./limits.ts";
import type { Roles } from "./ports.ts";

/** @throws where the role is another account's, does not exist, or does not trust Lambda. */
export async function checkRole(roles: Roles, roleArn: string, context: RequestContext): Promise<void> {
  if (roleArn.split(":")[4] !== context.account)
    throw accessDenied("Cross-account pass role is not allowed.");
  if (await roles.canBeAssumedBy(roleArn, "lambda.amazonaws.com")) return;
  throw invalidParameter("The role defined for the function cannot be assumed by Lambda.");
}

/** @throws InvalidParameterValueException for a runtime that is past its end, or that this machine lacks, with what to install. */
export async function checkRuntime(
  runtimes: Pick<Runtimes, "find">,
  { runtime, handler }: Pick<Configuration, "runtime" | "handler">,
): Promise<void> {
  const answer = await runtimes.find(runtime, handler);
  if (answer.status === "refused") throw invalidParameter(answer.reason);
}

/** @throws CodeStorageExceededException when all versions of the account and region together would unpack to more. */
export function checkStorage(unzippedBytes: number, limits: Pick<LambdaLimits, "codeStorageBytes">): void {
  if (unzippedBytes > limits.codeStorageBytes)
    throw new AwsError("CodeStorageExceededException", "Code storage limit exceeded.", { Type: "User" });
}
