/** The operations of dynamodb-streams: all that there are. */
import type { OperationTable } from "../../aws/service.ts";
import type { Client, DynamoDbStreamsDeps } from "./deps.ts";
import { describeStream } from "./operations/describe-stream.ts";
import { getRecords } from "./operations/get-records.ts";
import { getShardIterator } from "./operations/get-shard-iterator.ts";
import { listStreams } from "./operations/list-streams.ts";

export const operationTable: OperationTable<Client, DynamoDbStreamsDeps> = {
  DescribeStream: describeStream,
  GetRecords: getRecords,
  GetShardIterator: getShardIterator,
  ListStreams: listStreams,
};
