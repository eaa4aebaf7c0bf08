/** How many things are kept ready follows what was wanted lately, within bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Demand } from "./demand.ts";

test("nothing is kept before anything was wanted, and the least from then on", () => {
  const demand = new Demand(2, 4);
  assert.equal(demand.target(0), 0);
  demand.note(0);
  assert.equal(demand.target(0), 2);
  assert.equal(demand.target(1_000_000), 2);
});

test("as many as were wanted within a minute are kept, and no more than the most", () => {
  const demand = new Demand(1, 4);
  for (const time of [0, 10_000, 20_000]) demand.note(time);
  assert.equal(demand.target(20_000), 3);
  assert.equal(demand.target(65_000), 2);
  assert.equal(demand.target(90_000), 1);
  for (let time = 100_000; time < 100_020; time++) demand.note(time);
  assert.equal(demand.target(100_020), 4);
});
