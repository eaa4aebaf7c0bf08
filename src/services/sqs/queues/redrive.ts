/** Whether a queue may have another one for its dead letters. */
import { AwsError } from "../../../aws/errors.ts";
import type { Transaction } from "../../../store/database.ts";
import { invalidParameter } from "../errors.ts";
import { isFifoName, queueArn, readQueueArn } from "../names.ts";
import type { QueueId } from "../names.ts";
import { getQueue } from "../store/queues.ts";
import { queueOf, readRedrive } from "./settings.ts";
import type { Attributes, Queue } from "./settings.ts";

/** @throws AwsError InvalidParameterValue where the redrive policy's queue cannot be used so. */
export async function checkDeadLetterQueue(
  tx: Transaction,
  source: QueueId,
  attributes: Attributes,
): Promise<void> {
  const redrive = readRedrive(attributes["RedrivePolicy"]);
  if (!redrive) return;
  const invalid = (reason: string) =>
    invalidParameter(
      `Value ${attributes["RedrivePolicy"]} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
    );
  const id = readQueueArn(redrive.deadLetterArn);
  if (!id || id.region !== source.region || id.account !== source.account)
    throw invalid("Dead-letter target owner and region must be those of the source.");
  if (isFifoName(id.name) !== isFifoName(source.name))
    throw invalid("Dead-letter queue must be same type of queue as the source.");
  const row = id.name === source.name ? undefined : await getQueue(tx, id);
  if (id.name === source.name) throw invalid("Dead-letter target must be another queue.");
  if (!row) throw invalid("Dead letter target does not exist.");
  if (!allowsRedriveFrom(queueOf(row), queueArn(source)))
    throw invalid("The dead-letter queue's redrive allow policy does not allow this source queue.");
}

/** What the redrive allow policy of a dead-letter queue says of a source. */
function allowsRedriveFrom({ attributes }: Queue, sourceArn: string): boolean {
  const text = attributes["RedriveAllowPolicy"];
  if (!text) return true;
  const { redrivePermission, sourceQueueArns = [] } = JSON.parse(text) as {
    redrivePermission: string;
    sourceQueueArns?: string[];
  };
  if (redrivePermission === "byQueue") return sourceQueueArns.includes(sourceArn);
  return redrivePermission === "allowAll";
}

export type Difference = AwsError | undefined;

/** The error of a queue that is there already, and is not as it is asked for; only what is asked for is compared. */
export function difference(existing: Attributes, asked: Attributes): Difference {
  for (const [name, value] of Object.entries(asked))
    if ((existing[name] ?? "") !== value)
      return new AwsError(
        "QueueNameExists",
        `A queue already exists with the same name and a different value for attribute ${name}`,
      );
  return undefined;
}
