/** The dependencies of dynamodb-streams. */
import type { Clock } from "../../kit/clock.ts";
import type { ResourcePolicies, TableStreams } from "./ports.ts";

export type Client = typeof import("@aws-sdk/client-dynamodb-streams");

export interface DynamoDbStreamsDeps {
  readonly clock: Clock;
  readonly streams: TableStreams;
  readonly policies: ResourcePolicies;
}
