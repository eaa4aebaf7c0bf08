/** SQL of subscription filters and metric filters. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface SubscriptionRow {
  readonly group_id: number;
  readonly name: string;
  readonly pattern: string;
  readonly destination_arn: string;
  readonly role_arn: string | null;
  readonly distribution: "Random" | "ByLogStream";
  readonly created_at: number;
}

export interface MetricFilterRow {
  readonly group_id: number;
  readonly name: string;
  readonly pattern: string;
  /** JSON: a list of AWS's MetricTransformation. */
  readonly transformations: string;
  readonly created_at: number;
}

const SUBSCRIPTION = `group_id, name, pattern, destination_arn, role_arn, distribution, created_at`;
const METRIC = `group_id, name, pattern, transformations, created_at`;

const SUBSCRIPTIONS = sql(
  "logs.subscriptions",
  `SELECT ${SUBSCRIPTION} FROM logs_subscription_filter WHERE group_id = ? ORDER BY name`,
);
const PUT_SUBSCRIPTION = sql(
  "logs.putSubscription",
  `INSERT INTO logs_subscription_filter (${SUBSCRIPTION}) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (group_id, name) DO UPDATE SET pattern = excluded.pattern,
     destination_arn = excluded.destination_arn, role_arn = excluded.role_arn,
     distribution = excluded.distribution`,
);
const DELETE_SUBSCRIPTION = sql(
  "logs.deleteSubscription",
  `DELETE FROM logs_subscription_filter WHERE group_id = ? AND name = ?`,
);
const METRIC_FILTERS = sql(
  "logs.metricFilters",
  `SELECT ${METRIC} FROM logs_metric_filter WHERE group_id = ? ORDER BY name`,
);
const METRIC_FILTERS_OF_ALL = sql(
  "logs.metricFiltersOfAll",
  `SELECT f.group_id, f.name, f.pattern, f.transformations, f.created_at, g.name AS group_name
   FROM logs_metric_filter f JOIN logs_group g ON g.group_id = f.group_id
   WHERE g.account = ? AND g.region = ? ORDER BY g.name, f.name`,
);
const COUNT_METRIC_FILTERS = sql(
  "logs.countMetricFilters",
  `SELECT count(*) AS filters FROM logs_metric_filter WHERE group_id = ?`,
);
const PUT_METRIC_FILTER = sql(
  "logs.putMetricFilter",
  `INSERT INTO logs_metric_filter (${METRIC}) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (group_id, name) DO UPDATE SET pattern = excluded.pattern, transformations = excluded.transformations`,
);
const DELETE_METRIC_FILTER = sql(
  "logs.deleteMetricFilter",
  `DELETE FROM logs_metric_filter WHERE group_id = ? AND name = ?`,
);
const SET_REVISION = sql(
  "logs.setFiltersRevision",
  `UPDATE logs_group SET filters_revision = CASE
     WHEN EXISTS (SELECT 1 FROM logs_metric_filter m WHERE m.group_id = logs_group.group_id)
       OR EXISTS (SELECT 1 FROM logs_subscription_filter s WHERE s.group_id = logs_group.group_id) THEN CAST(? AS bigint) ELSE 0 END
   WHERE group_id = ?`,
);
const DELETE_SUBSCRIPTIONS = sql(
  "logs.deleteSubscriptions",
  `DELETE FROM logs_subscription_filter WHERE group_id = ?`,
);
const DELETE_METRIC_FILTERS = sql(
  "logs.deleteMetricFilters",
  `DELETE FROM logs_metric_filter WHERE group_id = ?`,
);

/** A group's, by name. */
export function subscriptionsOf(reader: Reader, groupId: number): Promise<SubscriptionRow[]> {
  return reader.all<SubscriptionRow>(SUBSCRIPTIONS, groupId);
}

/** Makes a filter or changes the one of that name, which keeps its time of creation. */
export async function putSubscription(
  tx: Transaction,
  row: SubscriptionRow,
  revision: number,
): Promise<void> {
  await tx.run(
    PUT_SUBSCRIPTION,
    row.group_id,
    row.name,
    row.pattern,
    row.destination_arn,
    row.role_arn,
    row.distribution,
    row.created_at,
  );
  await tx.run(SET_REVISION, revision, row.group_id);
}

/** Answers whether there was one. */
export async function deleteSubscription(
  tx: Transaction,
  groupId: number,
  name: string,
  revision: number,
): Promise<boolean> {
  const deleted = await tx.run(DELETE_SUBSCRIPTION, groupId, name);
  await tx.run(SET_REVISION, revision, groupId);
  return deleted > 0;
}

/** A group's, by name. */
export function metricFiltersOf(reader: Reader, groupId: number): Promise<MetricFilterRow[]> {
  return reader.all<MetricFilterRow>(METRIC_FILTERS, groupId);
}

/** Those of all groups of an account in a region, by the names of group and filter. */
export function metricFiltersOfAll(
  reader: Reader,
  account: string,
  region: string,
): Promise<(MetricFilterRow & { readonly group_name: string })[]> {
  return reader.all(METRIC_FILTERS_OF_ALL, account, region);
}

export async function countMetricFilters(reader: Reader, groupId: number): Promise<number> {
  return Number((await reader.get<{ filters: number | string }>(COUNT_METRIC_FILTERS, groupId))?.filters);
}

/** Makes a filter or changes the one of that name, which keeps its time of creation. */
export async function putMetricFilter(
  tx: Transaction,
  row: MetricFilterRow,
  revision: number,
): Promise<void> {
  await tx.run(PUT_METRIC_FILTER, row.group_id, row.name, row.pattern, row.transformations, row.created_at);
  await tx.run(SET_REVISION, revision, row.group_id);
}

/** Answers whether there was one. */
export async function deleteMetricFilter(
  tx: Transaction,
  groupId: number,
  name: string,
  revision: number,
): Promise<boolean> {
  const deleted = await tx.run(DELETE_METRIC_FILTER, groupId, name);
  await tx.run(SET_REVISION, revision, groupId);
  return deleted > 0;
}

/** Deletes what a group that is deleted has. */
export async function deleteFilters(tx: Transaction, groupId: number): Promise<void> {
  await tx.run(DELETE_SUBSCRIPTIONS, groupId);
  await tx.run(DELETE_METRIC_FILTERS, groupId);
}
