/** DescribeLimits and DescribeEndpoints: facts that nothing here changes. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
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
