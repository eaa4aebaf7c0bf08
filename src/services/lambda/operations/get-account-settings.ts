/** GetAccountSettings */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Lambda } from "../deps.ts";
import { UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX } from "../limits.ts";
import { readClaimed } from "../store-concurrency.ts";
import { readUsage } from "../store-lists.ts";

export async function getAccountSettings(
  lambda: Lambda,
  _input: Input<Client, "GetAccountSettings">,
  { account, region }: RequestContext,
): Promise<Output<Client, "GetAccountSettings">> {
  const usage = await readUsage(lambda.database, account, region);
  const claimed = await readClaimed(lambda.database, account, region);
  const { codeStorageBytes, concurrentExecutions } = lambda.limits;
  return {
    AccountLimit: {
      TotalCodeSize: codeStorageBytes,
      CodeSizeUnzipped: UNZIPPED_BYTES_MAX,
      CodeSizeZipped: ZIP_BYTES_MAX,
      ConcurrentExecutions: concurrentExecutions,
      UnreservedConcurrentExecutions: Math.max(0, concurrentExecutions - claimed),
    },
    AccountUsage: { TotalCodeSize: usage.unzipped, FunctionCount: usage.functions },
  };
}
