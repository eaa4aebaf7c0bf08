import assert from "node:assert/strict";
import { test } from "node:test";
import type { MappingSettings } from "../mapping.ts";
import { batchingOf, errorHandlingOf } from "./settings.ts";

test("a batch is of 100 records and waits for half a second, unless the mapping says otherwise", () => {
  assert.deepEqual(batchingOf({}), { batchSize: 100, windowMs: 500 });
  const said = { BatchSize: 7, MaximumBatchingWindowInSeconds: 0 };
  assert.deepEqual(batchingOf(said), { batchSize: 7, windowMs: 0 });
});

test("retries have no end, but with a destination there are ten where the mapping says no number", () => {
  const retries = (settings: MappingSettings) => errorHandlingOf(settings).retriesMax;
  const DestinationConfig = { OnFailure: { Destination: "kafka://dead" } };
  assert.equal(retries({}), Infinity);
  assert.equal(retries({ MaximumRetryAttempts: -1 }), Infinity);
  assert.equal(retries({ MaximumRetryAttempts: -1, DestinationConfig }), 10);
  assert.equal(retries({ MaximumRetryAttempts: 3, DestinationConfig }), 3);
  assert.equal(retries({ MaximumRetryAttempts: 0 }), 0);
  assert.equal(errorHandlingOf({}).ageMsMax, Infinity);
  assert.equal(errorHandlingOf({ MaximumRecordAgeInSeconds: 60 }).ageMsMax, 60_000);
});
