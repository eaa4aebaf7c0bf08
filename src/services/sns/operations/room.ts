/** Whether a topic has room for one more subscription. */
import { AwsError } from "../../../aws/errors.ts";
import type { Transaction } from "../../../store/database.ts";
import { FIFO_SUBSCRIPTIONS_MAX, FILTER_POLICIES_MAX, SUBSCRIPTIONS_MAX } from "../limits.ts";
import { countSubscriptions } from "../store/subscriptions.ts";
import type { Attributes } from "../subscriptions/subscription.ts";
import type { SubscribedTopic } from "../topics/topic.ts";

/** @throws AwsError SubscriptionLimitExceeded, FilterPolicyLimitExceeded */
export async function requireRoom(
  tx: Transaction,
  { id, isFifo, subscriptions }: SubscribedTopic,
  asked: Attributes,
): Promise<void> {
  const { confirmed, pending } = await countSubscriptions(tx, id);
  if (confirmed + pending >= (isFifo ? FIFO_SUBSCRIPTIONS_MAX : SUBSCRIPTIONS_MAX))
    throw new AwsError(
      "SubscriptionLimitExceededException",
      "Number of subscriptions exceeds the limit of the topic",
    );
  if (asked["FilterPolicy"] !== undefined) requireFilterRoom(subscriptions);
}

/** @throws AwsError FilterPolicyLimitExceeded */
export function requireFilterRoom(subscriptions: SubscribedTopic["subscriptions"]): void {
  if (subscriptions.filter(({ filter }) => filter !== undefined).length >= FILTER_POLICIES_MAX)
    throw new AwsError(
      "FilterPolicyLimitExceededException",
      `Number of filter policies exceeds the limit of ${FILTER_POLICIES_MAX} of the topic`,
    );
}
