/** What the API of streams needs of DynamoDB's tables; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";
import type { KeySchemaElement, StreamViewType, _Record } from "@aws-sdk/client-dynamodb-streams";

export interface StreamFacts {
  readonly arn: string;
  readonly label: string;
  readonly table: string;
  readonly viewType: StreamViewType;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly isEnabled: boolean;
  readonly keySchema: KeySchemaElement[];
  /** The text of the stream's own policy. */
  readonly policy: string | undefined;
}

export type ResourcePolicies = Pick<Policies, "decide">;

export interface StreamShard {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly startingSequenceNumber: string;
  readonly endingSequenceNumber?: string;
}

export type ShardPosition =
  | { readonly at: "TRIM_HORIZON" }
  | { readonly at: "LATEST" }
  | { readonly after: string };

export interface TableStreams {
  facts(arn: string): Promise<StreamFacts | undefined>;
  list(
    place: { readonly account: string; readonly region: string },
    range: { readonly table: string | undefined; readonly after: string | undefined; readonly limit: number },
  ): Promise<StreamFacts[]>;
  /** Parents before children. */
  shards(arn: string): Promise<readonly StreamShard[]>;
  /** The number after which a shard's records have not been removed; undefined without the shard. */
  trimmedTo(arn: string, shardId: string): Promise<string | undefined>;
  read(
    arn: string,
    shardId: string,
    from: ShardPosition,
    limits: { readonly records: number; readonly bytes: number },
  ): Promise<{
    readonly records: readonly { readonly json: string }[];
    readonly next: ShardPosition | object;
    readonly ended: boolean;
  }>;
  parse(json: string): _Record;
}
