import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Concurrency } from "./concurrency.ts";
import type { FunctionConcurrency } from "./concurrency.ts";

const LIMITS = { concurrentExecutions: 100, environmentsMax: 1_000 };

function owner(name: string, account = "000000000000") {
  return {
    account,
    region: "us-east-1",
    functionArn: `arn:aws:lambda:us-east-1:${account}:function:${name}`,
  };
}

/** How many of `times` may run at `now`, and why the last may not. */
function admit(one: FunctionConcurrency, times: number, now = 0, isSynchronous = false) {
  let admitted = 0;
  let refusal;
  for (let n = 0; n < times; n++) {
    refusal = one.admit(isSynchronous, now);
    if (!refusal) admitted++;
  }
  return [admitted, refusal?.reason];
}

describe("concurrent executions", () => {
  test("functions of an account share its limit; other accounts and regions have their own", () => {
    const all = new Concurrency(LIMITS);
    const [a, b] = [all.of(owner("a"), 0), all.of(owner("b"), 0)];
    assert.deepEqual(admit(a, 60), [60, undefined]);
    assert.deepEqual(admit(b, 60), [40, "ConcurrentInvocationLimitExceeded"]);
    assert.deepEqual(admit(all.of(owner("a", "111111111111"), 0), 60), [60, undefined]);
    assert.deepEqual(admit(all.of({ ...owner("a"), region: "eu-west-1", functionArn: "other" }, 0), 60), [
      60,
      undefined,
    ]);
    a.release();
    assert.deepEqual(admit(b, 2), [1, "ConcurrentInvocationLimitExceeded"]);
  });

  test("a reservation is a function's own and its most, and taken from the others whether used or not", () => {
    const all = new Concurrency(LIMITS);
    const [reserved, other] = [all.of(owner("reserved"), 0), all.of(owner("other"), 0)];
    reserved.reserve(30, 0);
    assert.deepEqual(admit(other, 200), [70, "ConcurrentInvocationLimitExceeded"]);
    assert.deepEqual(admit(reserved, 200), [30, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
    reserved.release();
    assert.deepEqual(admit(reserved, 2), [1, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
  });

  test("a reservation of nothing switches a function off, recognizably", () => {
    const one = new Concurrency(LIMITS).of(owner("off"), 0);
    one.reserve(0, 0);
    const refusal = one.admit(true, 0);
    assert.equal(refusal?.reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert.equal(refusal?.isSwitchedOff, true);
    one.reserve(1, 0);
    assert.equal(one.admit(true, 0), undefined);
    assert.equal(one.admit(true, 0)?.isSwitchedOff, false);
  });

  test("what runs while a reservation is made or given up is counted where it belongs then", () => {
    const all = new Concurrency(LIMITS);
    const [one, other] = [all.of(owner("one"), 0), all.of(owner("other"), 0)];
    assert.deepEqual(admit(one, 50), [50, undefined]);
    one.reserve(20, 0);
    assert.deepEqual(admit(other, 200)[0], 80);
    assert.equal(one.admit(false, 0)?.reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
    for (let n = 0; n < 50; n++) one.release();
    assert.deepEqual(admit(one, 50)[0], 20);
    one.reserve(undefined, 0);
    for (let n = 0; n < 80; n++) other.release();
    assert.deepEqual(admit(other, 200)[0], 80);
  });

  test("what is provisioned counts in the reservation, or is taken from what the others share", () => {
    const all = new Concurrency(LIMITS);
    const [one, two, other] = [all.of(owner("1"), 0), all.of(owner("2"), 0), all.of(owner("other"), 0)];
    one.reserve(30, 0);
    one.provision("1", 15);
    one.provision("2", 5);
    two.provision("1", 10);
    assert.deepEqual(admit(one, 200)[0], 10);
    assert.deepEqual(admit(other, 200)[0], 60);
    one.admitProvisioned(0);
    assert.equal(one.running, 11);
    assert.equal(one.account.running, 71);
    one.releaseProvisioned();
    one.provision("1", 0);
    one.provision("2", 0);
    assert.deepEqual(admit(one, 200)[0], 20);
  });
});

describe("the machine's bound", () => {
  test("is shared by all accounts, less what functions have reserved", () => {
    const all = new Concurrency({ concurrentExecutions: 1_000, environmentsMax: 50 });
    const reserved = all.of(owner("reserved"), 0);
    reserved.reserve(20, 0);
    assert.deepEqual(admit(all.of(owner("a"), 0), 25)[0], 25);
    assert.deepEqual(admit(all.of(owner("b", "111111111111"), 0), 25), [
      5,
      "ConcurrentInvocationLimitExceeded",
    ]);
    assert.deepEqual(admit(reserved, 25)[0], 20);
  });

  test("leaves a share to functions without a reservation, whatever is reserved", () => {
    const all = new Concurrency({ concurrentExecutions: 1_000, environmentsMax: 50 });
    all.of(owner("reserved"), 0).reserve(800, 0);
    assert.deepEqual(admit(all.of(owner("a"), 0), 25)[0], 5);
  });
});

describe("rates", () => {
  test("synchronous requests have ten times the concurrency a second; asynchronous ones no limit", () => {
    const all = new Concurrency(LIMITS);
    const [one, reserved] = [all.of(owner("one"), 0), all.of(owner("reserved"), 0)];
    reserved.reserve(10, 0);
    const request = (each: FunctionConcurrency, now: number, isSynchronous = true) => {
      const refusal = each.admit(isSynchronous, now);
      if (!refusal) each.release();
      return refusal?.reason;
    };
    const many = (each: FunctionConcurrency, now: number) =>
      Array.from({ length: 2_000 }, () => request(each, now)).filter((reason) => reason === undefined).length;
    assert.equal(many(one, 0), 900);
    assert.equal(request(one, 0), "FunctionInvocationRateLimitExceeded");
    assert.equal(request(one, 0, false), undefined);
    assert.equal(many(one, 500), 450);
    assert.equal(many(reserved, 0), 100);
    assert.equal(request(reserved, 0), "ReservedFunctionInvocationRateLimitExceeded");
    assert.equal(many(reserved, 60_000), 100);
  });

  test("only a rate tells when to come again", () => {
    const one = new Concurrency({ ...LIMITS, concurrentExecutions: 1 }).of(owner("one"), 0);
    assert.deepEqual(admit(one, 2), [1, "ConcurrentInvocationLimitExceeded"]);
    assert.equal(one.admit(true, 0)?.retryAfterSeconds, undefined);
    one.release();
    for (let n = 0; n < 10; n++) if (!one.admit(true, 0)) one.release();
    assert.equal(one.admit(true, 0)?.retryAfterSeconds, 1);
  });

  test("a function begins 1,000 environments, and 1,000 more every 10 seconds, continuously", () => {
    const one = new Concurrency(LIMITS).of(owner("one"), 0);
    const begin = (now: number) => {
      let begun = 0;
      while (!one.admitEnvironment(now)) begun++;
      return begun;
    };
    assert.equal(begin(0), 1_000);
    assert.equal(begin(10), 1);
    assert.equal(begin(1_010), 100);
    one.withdrawEnvironment();
    assert.equal(begin(1_010), 1);
    assert.equal(begin(60_000), 1_000);
    assert.equal(one.admitEnvironment(60_000)?.reason, "ConcurrentInvocationLimitExceeded");
    one.reserve(5, 60_000);
    assert.equal(one.admitEnvironment(60_000)?.reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
  });
});

test("functions that are quiet and have nothing reserved are forgotten, the others are not", () => {
  const all = new Concurrency(LIMITS);
  const quiet = all.of(owner("quiet"), 0);
  const busy = all.of(owner("busy"), 0);
  busy.admit(false, 0);
  const reserved = all.of(owner("reserved"), 0);
  reserved.reserve(0, 0);
  const held = all.of(owner("held"), 0);
  all.forget(1_000, (one) => one === held);
  assert.notEqual(all.of(owner("quiet"), 2_000), quiet);
  assert.equal(all.of(owner("busy"), 2_000), busy);
  assert.equal(all.of(owner("reserved"), 2_000), reserved);
  assert.equal(all.of(owner("held"), 2_000), held);
});
