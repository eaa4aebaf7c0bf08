/** DescribeLimits, DescribeEndpoints and DescribeContinuousBackups: facts that nothing here changes yet. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { placeOf } from "../tables/registry.ts";
import type { Client } from "./client.ts";

/** AWS's quotas for a new account, in capacity units. */
const ACCOUNT_CAPACITY_MAX = 80_000;
const TABLE_CAPACITY_MAX = 40_000;
/** How long a client may use the endpoint it was told, in minutes. */
const ENDPOINT_CACHE_MINUTES = 1440;

export function describeLimits(): Output<Client, "DescribeLimits"> {
  return {
    AccountMaxReadCapacityUnits: ACCOUNT_CAPACITY_MAX,
    AccountMaxWriteCapacityUnits: ACCOUNT_CAPACITY_MAX,
    TableMaxReadCapacityUnits: TABLE_CAPACITY_MAX,
    TableMaxWriteCapacityUnits: TABLE_CAPACITY_MAX,
  };
}

export function describeEndpoints(
  _deps: OperationDeps,
  _input: Input<Client, "DescribeEndpoints">,
  context: RequestContext,
): Output<Client, "DescribeEndpoints"> {
  const { host } = new URL(context.endpoint);
  return { Endpoints: [{ Address: host, CachePeriodInMinutes: ENDPOINT_CACHE_MINUTES }] };
}

/** Nothing is backed up continuously, and there is nothing to switch it on. */
export async function describeContinuousBackups(
  deps: OperationDeps,
  input: Input<Client, "DescribeContinuousBackups">,
  context: RequestContext,
): Promise<Output<Client, "DescribeContinuousBackups">> {
  const table = await deps.tables.find(placeOf(input.TableName as string, context));
  if (!table || table.isDeleting)
    throw new AwsError("TableNotFoundException", `Table not found: ${input.TableName}`);
  return {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: "DISABLED",
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "DISABLED" },
    },
  };
}
