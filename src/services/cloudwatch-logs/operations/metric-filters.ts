/** PutMetricFilter, DescribeMetricFilters, DeleteMetricFilter and TestMetricFilter. */
import type { MetricTransformation } from "@aws-sdk/client-cloudwatch-logs";
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { requireStandard } from "../group-class.ts";
import { newRowId } from "../ingest.ts";
import { invalidParameter, readValuePattern, requireGroup } from "../lookup.ts";
import { TransformationError, compileTransformation } from "../metric-filters/transformation.ts";
import type { LogsState } from "../state.ts";
import {
  countMetricFilters,
  deleteMetricFilter as deleteRow,
  metricFiltersOf,
  metricFiltersOfAll,
  putMetricFilter as putRow,
} from "../store-filters.ts";
import { pageOf } from "./paging.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

const FILTERS_PER_GROUP_MAX = 100;

/** It counts the events that come from now on. */
export async function putMetricFilter(
  state: LogsState,
  input: Input<Client, "PutMetricFilter">,
  context: RequestContext,
): Promise<object> {
  if (input.applyOnTransformedLogs === true)
    throw notImplemented("applyOnTransformedLogs of PutMetricFilter");
  if (input.fieldSelectionCriteria !== undefined)
    throw notImplemented("fieldSelectionCriteria of PutMetricFilter");
  if (input.emitSystemFieldDimensions?.length)
    throw notImplemented("emitSystemFieldDimensions of PutMetricFilter");
  const transformations = input.metricTransformations ?? [];
  checkTransformations(input.filterPattern ?? "", transformations);
  const name = input.filterName ?? "";
  const revision = newRowId(state);
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName: input.logGroupName });
    requireStandard(group, "PutMetricFilter");
    const rows = await metricFiltersOf(tx, group.group_id);
    if (rows.length >= FILTERS_PER_GROUP_MAX && !rows.some((row) => row.name === name))
      throw new AwsError("LimitExceededException", "Resource limit exceeded.");
    const row = {
      group_id: group.group_id,
      name,
      pattern: input.filterPattern ?? "",
      transformations: JSON.stringify(transformations),
      created_at: state.clock.now(),
    };
    await putRow(tx, row, revision);
  });
  return {};
}

export async function describeMetricFilters(
  state: LogsState,
  input: Input<Client, "DescribeMetricFilters">,
  context: RequestContext,
): Promise<Output<Client, "DescribeMetricFilters">> {
  const { logGroupName, filterNamePrefix = "", metricName, metricNamespace } = input;
  if ((metricName === undefined) !== (metricNamespace === undefined))
    throw invalidParameter("metricName and metricNamespace have to be given together.");
  const rows = await rowsOf(state, context, logGroupName);
  const found = rows
    .filter((row) => logGroupName === undefined || row.name.startsWith(filterNamePrefix))
    .map((row) => ({ ...row, list: JSON.parse(row.transformations) as MetricTransformation[] }))
    .filter(
      ({ list }) =>
        metricName === undefined ||
        list.some((one) => one.metricName === metricName && one.metricNamespace === metricNamespace),
    );
  const { page, ...more } = pageOf(found, input, (row) => `${row.group_name}\n${row.name}`);
  return {
    metricFilters: page.map((row) => ({
      filterName: row.name,
      filterPattern: row.pattern,
      metricTransformations: row.list,
      creationTime: row.created_at,
      logGroupName: row.group_name,
      applyOnTransformedLogs: false,
    })),
    ...more,
  };
}

export async function deleteMetricFilter(
  state: LogsState,
  input: Input<Client, "DeleteMetricFilter">,
  context: RequestContext,
): Promise<object> {
  const revision = newRowId(state);
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName: input.logGroupName });
    if (!(await deleteRow(tx, group.group_id, input.filterName ?? "", revision)))
      throw new AwsError("ResourceNotFoundException", "The specified metric filter does not exist.");
  });
  return {};
}

/** Events are numbered from 0 on. */
export function testMetricFilter(
  _state: LogsState,
  input: Input<Client, "TestMetricFilter">,
): Output<Client, "TestMetricFilter"> {
  const pattern = readValuePattern(input.filterPattern);
  const messages = input.logEventMessages ?? [];
  return {
    matches: messages.flatMap((eventMessage, eventNumber) =>
      pattern.matches(eventMessage)
        ? [{ eventNumber, eventMessage, extractedValues: pattern.values(eventMessage) }]
        : [],
    ),
  };
}

/** How many a group has, for its description. */
export function metricFilterCount(state: LogsState, groupId: number): Promise<number> {
  return countMetricFilters(state.database, groupId);
}

async function rowsOf(state: LogsState, context: RequestContext, logGroupName: string | undefined) {
  if (logGroupName === undefined) return metricFiltersOfAll(state.database, context.account, context.region);
  const group = await requireGroup(state.database, context, { logGroupName });
  const rows = await metricFiltersOf(state.database, group.group_id);
  return rows.map((row) => ({ ...row, group_name: group.name }));
}

/** @throws AwsError InvalidParameterException */
function checkTransformations(filterPattern: string, transformations: readonly MetricTransformation[]): void {
  const pattern = readValuePattern(filterPattern);
  try {
    for (const one of transformations) compileTransformation(one, pattern);
  } catch (error) {
    if (error instanceof TransformationError) throw invalidParameter(error.message);
    throw error;
  }
}
