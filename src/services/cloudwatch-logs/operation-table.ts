/** The operations of cloudwatch-logs that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import { filterLogEvents } from "./operations/filter-log-events.ts";
import { getLogEvents } from "./operations/get-log-events.ts";
import { createLogGroup, deleteLogGroup, describeLogGroups } from "./operations/log-groups.ts";
import { createLogStream, deleteLogStream, describeLogStreams } from "./operations/log-streams.ts";
import { putLogEvents } from "./operations/put-log-events.ts";
import { deleteRetentionPolicy, putRetentionPolicy } from "./operations/retention.ts";
import { startLiveTail } from "./operations/start-live-tail.ts";
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
  DeleteRetentionPolicy: deleteRetentionPolicy,
  DescribeLogGroups: describeLogGroups,
  DescribeLogStreams: describeLogStreams,
  FilterLogEvents: filterLogEvents,
  GetLogEvents: getLogEvents,
  ListTagsForResource: listTagsForResource,
  ListTagsLogGroup: listTagsLogGroup,
  PutLogEvents: putLogEvents,
  PutRetentionPolicy: putRetentionPolicy,
  StartLiveTail: startLiveTail,
  TagLogGroup: tagLogGroup,
  TagResource: tagResource,
  UntagLogGroup: untagLogGroup,
  UntagResource: untagResource,
};
