/** sqs: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { Sqs, SqsDeps } from "./deps.ts";
import { createDirect } from "./direct.ts";
import { Fairness } from "./fairness/fairness.ts";
import { Housekeeping } from "./housekeeping.ts";
import { createIntake } from "./intake.ts";
import type { QueueIntake } from "./intake.ts";
import { Deletions } from "./messages/deletions.ts";
import { Receivers } from "./messages/receivers.ts";
import { BodySealer } from "./messages/sealing.ts";
import { Sends } from "./messages/sends.ts";
import { Sequence } from "./messages/sequence.ts";
import { queues as queuesMigration } from "./migrations/001-queues.ts";
import { chunks } from "./migrations/002-chunks.ts";
import { claimedAt } from "./migrations/003-claimed-at.ts";
import { claimedChunks } from "./migrations/004-claimed-chunks.ts";
import { asides } from "./migrations/005-asides.ts";
import { secrets } from "./migrations/006-secrets.ts";
import { MoveTasks } from "./move/move-tasks.ts";
import { operationTable } from "./operation-table.ts";
import { MessageCounts } from "./queues/counts.ts";
import { QueueMetrics } from "./queues/metrics.ts";
import { QueueRegistry } from "./queues/registry.ts";
import { createReader } from "./reader.ts";
import type { QueueReader } from "./reader.ts";

export type { SqsDeps } from "./deps.ts";
export type { IntakeMessage, QueueIntake } from "./intake.ts";
export type { QueueMessage } from "./messages/message.ts";
export type { QueueSender } from "./messages/sender.ts";
export type { QueueReader, ReceiveRequest } from "./reader.ts";

export interface SqsService {
  readonly service: Service;
  /** For services that send. */
  readonly intake: QueueIntake;
  /** For what receives without HTTP. */
  readonly reader: QueueReader;
  /** Ends all waiting receives, and what runs in the background. */
  stop(): Promise<void>;
}

/** SQS over a database; it goes on with the tasks that an earlier process began. */
export async function createSqs(deps: SqsDeps): Promise<SqsService> {
  const { database } = deps;
  await database.migrate("sqs", [queuesMigration, chunks, claimedAt, claimedChunks, asides, secrets]);
  const queues = new QueueRegistry(database);
  const sequence = await Sequence.open(database);
  const fairness = new Fairness(deps);
  const counts = new MessageCounts(deps);
  const queueMetrics = new QueueMetrics({ ...deps, queues, counts, fairness });
  const sealer = await BodySealer.open(database, deps.ids, sequence);
  const known = { ...deps, queues, sequence, sealer, fairness, counts, queueMetrics };
  const receivers = new Receivers(known);
  const sqs: Sqs = {
    ...known,
    sends: new Sends({ ...known, receivers }),
    receivers,
    deletions: new Deletions(known),
    moveTasks: new MoveTasks(known),
    housekeeping: new Housekeeping(known),
  };
  await sqs.moveTasks.start();
  sqs.housekeeping.soon();
  return {
    service: {
      ...bindService("sqs", operationTable, sqs, authorization(sqs)),
      direct: createDirect(sqs),
    },
    intake: createIntake(sqs),
    reader: createReader(sqs),
    async stop() {
      sqs.receivers.stop();
      await sqs.moveTasks.stop();
      await sqs.housekeeping.stop();
    },
  };
}
