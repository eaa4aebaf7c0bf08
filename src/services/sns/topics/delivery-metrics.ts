/** What the courier counts of a message on its way to a subscriber. https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html */
import type { ParcelMetrics } from "../../../aws/parcel.ts";

/** Made once for a topic, since the courier remembers what it counts under each. */
export interface DeliveryMetrics {
  /** For http(s) endpoints: every attempt counts. */
  readonly endpoints: ParcelMetrics;
  /** For what AWS runs: the message alone counts. */
  readonly own: ParcelMetrics;
}

const FAILED = "NumberOfNotificationsFailed";

export function deliveryMetrics(TopicName: string): DeliveryMetrics {
  const own: ParcelMetrics = {
    namespace: "AWS/SNS",
    dimensions: [{ TopicName }],
    delivered: "NumberOfNotificationsDelivered",
    failed: FAILED,
    deadLettered: "NumberOfNotificationsRedrivenToDlq",
    deadLetterFailed: "NumberOfNotificationsFailedToRedriveToDlq",
  };
  return { own, endpoints: { ...own, retried: FAILED } };
}
