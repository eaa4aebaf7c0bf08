import assert from "node:assert/strict";
import { test } from "node:test";
import { checkProvisioned, checkReservation } from "./concurrency-rules.ts";

const FLOOR = (member: string, least: number) => ({
  name: "InvalidParameterValueException",
  message: `Specified ${member} for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
});

test("a reservation leaves 100 to the functions without one", () => {
  const claims = { limit: 1_000, claimed: 300, reserved: undefined, provisioned: 0 };
  checkReservation(600, claims);
  assert.throws(() => checkReservation(601, claims), FLOOR("ReservedConcurrentExecutions", 100));
  // What the function has already is its to keep.
  checkReservation(700, { ...claims, reserved: 100 });
  checkReservation(0, { ...claims, claimed: 900 });
});

test("an account of less than 100 can reserve nothing but 0", () => {
  const claims = { limit: 10, claimed: 0, reserved: undefined, provisioned: 0 };
  checkReservation(0, claims);
  assert.throws(() => checkReservation(1, claims), FLOOR("ReservedConcurrentExecutions", 10));
});

test("an account whose limit was lowered can still lower its reservations", () => {
  checkReservation(400, { limit: 300, claimed: 500, reserved: 500, provisioned: 0 });
});

test("what is provisioned fits into the reservation, or leaves 100", () => {
  const claims = { limit: 1_000, claimed: 200, reserved: 200, provisioned: 50 };
  checkProvisioned(200, claims);
  assert.throws(() => checkProvisioned(201, claims), {
    message:
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
  });
  assert.throws(() => checkReservation(49, claims), {
    message:
      "ReservedConcurrentExecutions 49 should not be lower than function's total provisioned concurrency [50].",
  });
  const free = { limit: 1_000, claimed: 250, reserved: undefined, provisioned: 50 };
  checkProvisioned(700, free);
  assert.throws(() => checkProvisioned(701, free), FLOOR("ConcurrentExecutions", 100));
});
