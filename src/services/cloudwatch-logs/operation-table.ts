/** The operations of cloudwatch-logs that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import { filterLogEvents } from "./operations/filter-log-events.ts";
import { getLogEvents } from "./operations/get-log-events.ts";
import { getLogGroupFields, getLogRecord } from "./operations/log-fields.ts";
import { createLogGroup, deleteLogGroup, describeLogGroups, listLogGroups } from "./operations/log-groups.ts";
import { createLogStream, deleteLogStream, describeLogStreams } from "./operations/log-streams.ts";
import {
  deleteMetricFilter,
  describeMetricFilters,
  putMetricFilter,
  testMetricFilter,
} from "./operations/metric-filters.ts";
import { putLogEvents } from "./operations/put-log-events.ts";
import {
  describeQueries,
  getQueryResults,
  listLogGroupsForQuery,
  startQuery,
  stopQuery,
} from "./operations/queries.ts";
import {
  deleteQueryDefinition,
  describeQueryDefinitions,
  putQueryDefinition,
} from "./operations/query-definitions.ts";
import {
  deleteResourcePolicy,
  describeResourcePolicies,
  putResourcePolicy,
} from "./operations/resource-policies.ts";
import { deleteRetentionPolicy, putRetentionPolicy } from "./operations/retention.ts";
import { startLiveTail } from "./operations/start-live-tail.ts";
import {
  deleteSubscriptionFilter,
  describeSubscriptionFilters,
  putSubscriptionFilter,
} from "./operations/subscription-filters.ts";
import {
  listTagsForResource,
  listTagsLogGroup,
  tagLogGroup,
  tagResource,
  untagLogGroup,
  untagResource,
} from "./operations/tags.ts";
import type { LogsState } from "./state.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

export const operationTable: OperationTable<Client, LogsState> = {
  CreateLogGroup: createLogGroup,
  CreateLogStream: createLogStream,
  DeleteLogGroup: deleteLogGroup,
  DeleteLogStream: deleteLogStream,
  DeleteMetricFilter: deleteMetricFilter,
  DeleteQueryDefinition: deleteQueryDefinition,
  DeleteResourcePolicy: deleteResourcePolicy,
  DeleteRetentionPolicy: deleteRetentionPolicy,
  DeleteSubscriptionFilter: deleteSubscriptionFilter,
  DescribeLogGroups: describeLogGroups,
  DescribeLogStreams: describeLogStreams,
  DescribeMetricFilters: describeMetricFilters,
  DescribeQueries: describeQueries,
  DescribeQueryDefinitions: describeQueryDefinitions,
  DescribeResourcePolicies: describeResourcePolicies,
  DescribeSubscriptionFilters: describeSubscriptionFilters,
  FilterLogEvents: filterLogEvents,
  GetLogEvents: getLogEvents,
  GetLogGroupFields: getLogGroupFields,
  GetLogRecord: getLogRecord,
  GetQueryResults: getQueryResults,
  ListLogGroups: listLogGroups,
  ListLogGroupsForQuery: listLogGroupsForQuery,
  ListTagsForResource: listTagsForResource,
  ListTagsLogGroup: listTagsLogGroup,
  PutLogEvents: putLogEvents,
  PutMetricFilter: putMetricFilter,
  PutQueryDefinition: putQueryDefinition,
  PutResourcePolicy: putResourcePolicy,
  PutRetentionPolicy: putRetentionPolicy,
  PutSubscriptionFilter: putSubscriptionFilter,
  StartLiveTail: startLiveTail,
  StartQuery: startQuery,
  StopQuery: stopQuery,
  TagLogGroup: tagLogGroup,
  TagResource: tagResource,
  TestMetricFilter: testMetricFilter,
  UntagLogGroup: untagLogGroup,
  UntagResource: untagResource,
};
