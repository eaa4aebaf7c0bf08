/** The destinations of functions' records, for what reads event sources and gives events up. */
import type { Transaction } from "../../store/database.ts";
import type { Lambda } from "./deps.ts";
import type { Deliveries } from "./events/deliveries.ts";
import { destinationOf } from "./events/destinations.ts";
import type { Sender } from "./events/destinations.ts";
import { readFunctionArn } from "./names.ts";

/** The function whose record it is, and the role that delivers it. */
export interface RecordSender {
  readonly functionArn: string;
  readonly roleArn: string;
}

export interface Records {
  /**
   * What keeps records from being delivered to an ARN, as the end of a sentence; undefined when nothing does.
   * @param keyPrefix Where objects would lie, if it is a bucket.
   */
  fault(sender: RecordSender, destinationArn: string, keyPrefix: string): Promise<string | undefined>;
  /** Begins a delivery in the caller's transaction; it is tried until the destination has the record or refuses it. */
  put(
    tx: Transaction,
    delivery: {
      readonly sender: RecordSender;
      readonly destination: string;
      readonly record: Buffer;
      readonly objectKey: string;
      readonly traceHeader: string | undefined;
    },
  ): Promise<void>;
}

export function createRecords(lambda: Lambda, deliveries: Pick<Deliveries, "putRecord">): Records {
  return {
    async fault(sender, arn, keyPrefix) {
      const destination = destinationOf(lambda, arn);
      if (!destination) return "records are not delivered to this service";
      return destination.fault(senderOf(sender), arn, keyPrefix);
    },
    put: (tx, { sender, ...delivery }) =>
      deliveries.putRecord(tx, { ...delivery, sender: senderOf(sender), at: lambda.clock.now() }),
  };
}

function senderOf({ functionArn, roleArn }: RecordSender): Sender {
  const reference = readFunctionArn(functionArn);
  if (!reference) throw new Error(`${functionArn} is no function's ARN`);
  const { account, region, name } = reference;
  return { account, region, name, roleArn };
}
