/** What each kind of target needs beside the body. */
import { createHash } from "node:crypto";
import { scalarAt } from "../input/input.ts";
import { readBusArn } from "../names.ts";
import type { Parcel } from "../../../aws/parcel.ts";
import type { LoadedRule } from "../rules/loaded-rule.ts";
import type { Target } from "../rules/target.ts";
import type { BusEvent } from "./event.ts";

const ROLE_OF_RULE: ReadonlySet<string> = new Set(["kinesis", "events"]);

export function targetRef(rule: LoadedRule, target: Target, event: BusEvent): Parcel["target"] {
  const { Arn: arn, SqsParameters, KinesisParameters } = target;
  // A rule's own role is for targets that have no policies of their own.
  const service = arn.split(":")[2] ?? "";
  const roleArn = target.RoleArn ?? (ROLE_OF_RULE.has(service) ? rule.roleArn : "");
  const role = roleArn === "" ? {} : { roleArn };
  switch (service) {
    case "sqs": {
      const given = SqsParameters?.MessageGroupId;
      const messageGroupId = given === undefined ? undefined : resolve(given, event);
      return { arn, ...role, ...(messageGroupId !== undefined && { sqs: { messageGroupId } }) };
    }
    case "kinesis": {
      const path = KinesisParameters?.PartitionKeyPath ?? "$.id";
      const partitionKey = scalarAt(path, event.event) || String(event.event["id"]);
      return { arn, ...role, kinesis: { partitionKey } };
    }
    case "logs":
      return { arn, ...role, logs: { stream: logStream(rule.arn) } };
    case "events": {
      if (!readBusArn(arn)) return { arn, ...role, apiDestination: httpOf(target, event) };
      const { source, "detail-type": detailType } = event.event;
      return { arn, ...role, event: { source: String(source), detailType: String(detailType), whole: true } };
    }
    default:
      return { arn, ...role };
  }
}

/** A value that is a JSON path comes from the event; undefined where it has nothing there. */
function resolve(value: string, { event }: BusEvent): string | undefined {
  return value.startsWith("$.") ? scalarAt(value, event) : value;
}

/** What the target adds to the request. */
function httpOf(
  { HttpParameters = {} }: Target,
  event: BusEvent,
): NonNullable<Parcel["target"]["apiDestination"]> {
  const { PathParameterValues = [], HeaderParameters = {}, QueryStringParameters = {} } = HttpParameters;
  const found = (value: string) => resolve(value, event) ?? "";
  const resolveAll = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, found(value)]));
  return {
    pathValues: PathParameterValues.map(found),
    headers: resolveAll(HeaderParameters),
    query: resolveAll(QueryStringParameters),
  };
}

/** One stream of a log group for each rule. */
function logStream(ruleArn: string): string {
  return createHash("sha256").update(ruleArn).digest("hex").slice(0, 32);
}
