/** Event buses as destinations: a record becomes an event's detail. */
import { functionArn } from "../names.ts";
import { Undeliverable, missingPermission } from "./destinations.ts";
import type { Destination, DestinationDeps } from "./destinations.ts";

const BUS_ARN = /^arn:aws[a-z-]*:events:([a-z0-9-]+):\d{12}:event-bus\/[/.\-_A-Za-z0-9]+$/;

/** An event has a megabyte, in which its envelope and the two ARNs stand too. */
const RECORD_BYTES_MAX = 1024 * 1024 - 4_096;
const SOURCE = "lambda";
const SUCCESS = "Lambda Function Invocation Result - Success";
const FAILURE = "Lambda Function Invocation Result - Failure";

export function busDestination({ database, recordBuses }: DestinationDeps): Destination {
  return {
    takesSuccess: true,
    recordBytesMax: RECORD_BYTES_MAX,
    async fault(sender, arn) {
      if (BUS_ARN.exec(arn)?.[1] !== sender.region) return "it is no event bus of this region";
      const { roleArn } = sender;
      const event = { source: SOURCE, detailType: FAILURE };
      const answer = await recordBuses.check(arn, { roleArn }, event);
      if (answer === "missing") return "there is no such event bus";
      return answer === "denied" ? missingPermission(sender, "PutEvents") : undefined;
    },
    async deliver({ sender, destination, record, traceHeader }, settle) {
      const text = record.toString();
      const { account, region } = sender;
      const { condition, functionArn: invoked = functionArn(sender) } = contextOf(text);
      await database.tx(async (tx) => {
        if (!(await settle(tx))) return;
        const answer = await recordBuses.put(tx, {
          busArn: destination,
          text,
          source: SOURCE,
          detailType: condition === "Success" ? SUCCESS : FAILURE,
          resources: [destination, invoked],
          account,
          region,
          ...(traceHeader !== undefined && { traceHeader }),
        });
        if (answer !== "put") throw new Undeliverable("there is no such event bus");
      });
    },
  };
}

/** What a record says of its event. */
function contextOf(record: string): { readonly condition?: string; readonly functionArn?: string } {
  return (JSON.parse(record) as { readonly requestContext?: object }).requestContext ?? {};
}
