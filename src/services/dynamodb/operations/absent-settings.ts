/** What tables here do not have, as AWS tells it of tables without: insights, Kinesis destinations, exports, imports, replicas. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { resourceNotFound } from "../errors.ts";
import type { Client } from "./client.ts";
import { tableToManage } from "./describe-table.ts";

export async function describeContributorInsights(
  deps: OperationDeps,
  { TableName, IndexName }: Input<Client, "DescribeContributorInsights">,
  context: RequestContext,
): Promise<Output<Client, "DescribeContributorInsights">> {
  const table = await tableToManage(deps, TableName, context);
  if (IndexName !== undefined && !table.indexes.some(({ name }) => name === IndexName))
    throw resourceNotFound(`Requested resource not found: Index: ${IndexName} not found`);
  return {
    TableName: table.name,
    ...(IndexName !== undefined && { IndexName }),
    ContributorInsightsStatus: "DISABLED",
  };
}

export async function describeKinesisStreamingDestination(
  deps: OperationDeps,
  { TableName }: Input<Client, "DescribeKinesisStreamingDestination">,
  context: RequestContext,
): Promise<Output<Client, "DescribeKinesisStreamingDestination">> {
  const { name } = await tableToManage(deps, TableName, context);
  return { TableName: name, KinesisDataStreamDestinations: [] };
}

export function listContributorInsights(): Output<Client, "ListContributorInsights"> {
  return { ContributorInsightsSummaries: [] };
}

export function listExports(): Output<Client, "ListExports"> {
  return { ExportSummaries: [] };
}

export function listGlobalTables(): Output<Client, "ListGlobalTables"> {
  return { GlobalTables: [] };
}

export function listImports(): Output<Client, "ListImports"> {
  return { ImportSummaryList: [] };
}
