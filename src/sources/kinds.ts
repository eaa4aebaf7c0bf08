/** The table of the kinds of event sources, by the service in their ARNs; a further one is one more entry. */
import { BrokerAddresses } from "./access/broker-addresses.ts";
import { Secrets } from "./access/secrets.ts";
import { createKafkaSource } from "./kafka/kind.ts";
import { createBrokerSource } from "./mq/kind.ts";
import type { ExecutionRoles, QueueReader } from "./ports.ts";
import type { SourceKind } from "./source.ts";
import { createQueueSource } from "./sqs/kind.ts";
import { createDynamoDbSource, createKinesisSource } from "./streams/kinds.ts";
import type { DynamoDbRecord, KinesisRecord, ShardReader } from "./streams/ports.ts";

/** What the kinds need; a kind whose reader is not there is refused by name. */
export interface KindDeps {
  readonly roles: ExecutionRoles;
  readonly queues?: QueueReader | undefined;
  readonly kinesisStreams?: ShardReader<KinesisRecord> | undefined;
  readonly tableStreams?: ShardReader<DynamoDbRecord> | undefined;
  /** Files of the operator's; undefined for none. */
  readonly brokersFile: string | undefined;
  readonly secretsFile: string | undefined;
}

export function createKinds(deps: KindDeps): Readonly<Record<string, SourceKind>> {
  const { roles, queues, kinesisStreams, tableStreams } = deps;
  const addresses = new BrokerAddresses(deps.brokersFile);
  const secrets = new Secrets(deps.secretsFile);
  return {
    ...(queues && { sqs: createQueueSource({ roles, queues }) }),
    ...(kinesisStreams && { kinesis: createKinesisSource({ roles, streams: kinesisStreams }) }),
    ...(tableStreams && { dynamodb: createDynamoDbSource({ roles, streams: tableStreams }) }),
    kafka: createKafkaSource({ roles, addresses, secrets }),
    mq: createBrokerSource({ roles, addresses, secrets }),
  };
}
