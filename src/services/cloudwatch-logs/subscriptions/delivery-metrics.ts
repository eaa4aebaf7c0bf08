/** AWS's metrics of subscription filters: what was sent on, and what a destination refused. */
import type { Parcel } from "../../../aws/parcel.ts";
import type { LogsState } from "../state.ts";
import { destinationKind } from "./destination.ts";
import type { Packed } from "./message.ts";
import type { NotedFilter, NotedGroup } from "./outbox.ts";

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html */
const NAMESPACE = "AWS/Logs";

/** What the courier counts: attempts that are repeated, and what ends undelivered. */
export function courierMetrics(group: NotedGroup, filter: NotedFilter): NonNullable<Parcel["metrics"]> {
  return {
    namespace: NAMESPACE,
    dimensions: [dimensionsOf(group, filter)],
    retried: "DeliveryThrottling",
    failed: "DeliveryErrors",
  };
}

/** A message that was handed over; one that then waits for its destination counts too. */
export function countForwarded(
  state: LogsState,
  group: NotedGroup,
  filter: NotedFilter,
  { compressedBytes, events }: Packed,
): void {
  add(state, group, filter, "ForwardedBytes", compressedBytes);
  add(state, group, filter, "ForwardedLogEvents", events.length);
}

/** Events that no message can hold. */
export function countErrors(state: LogsState, group: NotedGroup, filter: NotedFilter, events: number): void {
  add(state, group, filter, "DeliveryErrors", events);
}

function add(
  { metrics }: LogsState,
  group: NotedGroup,
  filter: NotedFilter,
  name: string,
  value: number,
): void {
  const { account, region } = group;
  const unit = name === "ForwardedBytes" ? "Bytes" : "Count";
  metrics
    .series({
      namespace: NAMESPACE,
      name,
      unit,
      kind: "sum",
      account,
      region,
      dimensions: dimensionsOf(group, filter),
    })
    .add(value, metrics.minute());
}

function dimensionsOf({ name: LogGroupName }: NotedGroup, { name, destinationArn }: NotedFilter) {
  return { LogGroupName, DestinationType: destinationKind(destinationArn), FilterName: name };
}
