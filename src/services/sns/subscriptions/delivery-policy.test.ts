/** The waits of a delivery policy, phase by phase. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { delaysOf, effectiveDelivery, readTopicDelivery } from "./delivery-policy.ts";
import type { HealthyRetryPolicy } from "./delivery-policy.ts";

const policy = (more: Partial<HealthyRetryPolicy>) =>
  delaysOf({ ...readTopicDelivery(undefined).healthyRetryPolicy, ...more }).map((ms) => ms / 1_000);

test("the default is three attempts more, twenty seconds apart", () => {
  assert.deepEqual(policy({}), [20, 20, 20]);
});

test("phases follow one another: at once, at the least wait, growing, at the most", () => {
  const phases = { numRetries: 8, numNoDelayRetries: 2, numMinDelayRetries: 1, numMaxDelayRetries: 2 };
  assert.deepEqual(
    policy({ ...phases, minDelayTarget: 10, maxDelayTarget: 40 }),
    [0, 0, 10, 20, 30, 40, 40, 40],
  );
  for (const backoffFunction of ["arithmetic", "geometric", "exponential"] as const) {
    const waits = policy({ numRetries: 5, minDelayTarget: 1, maxDelayTarget: 100, backoffFunction });
    assert.equal(waits.length, 5);
    assert.equal(waits.at(-1), 100);
    assert.ok(
      waits.every((wait, at) => at === 0 || wait > (waits[at - 1] ?? 0)),
      backoffFunction,
    );
  }
});

test("a subscription's own policy goes before its topic's, unless that forbids it", () => {
  const own = JSON.stringify({ healthyRetryPolicy: { numRetries: 7 } });
  const ofTopic = (disableSubscriptionOverrides: boolean) =>
    readTopicDelivery(
      JSON.stringify({
        http: { defaultHealthyRetryPolicy: { numRetries: 5 }, disableSubscriptionOverrides },
      }),
    );
  assert.equal(effectiveDelivery(own, ofTopic(false)).healthyRetryPolicy.numRetries, 7);
  assert.equal(effectiveDelivery(own, ofTopic(true)).healthyRetryPolicy.numRetries, 5);
  assert.equal(effectiveDelivery(undefined, ofTopic(false)).healthyRetryPolicy.numRetries, 5);
});
