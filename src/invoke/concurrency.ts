/**
 * Admission: whether one more invocation of a function may run. https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 *
 * Each account and region has a number of concurrent executions. A function may reserve a part of it, which is then its
 * own and its most; the other functions share what is left. The machine's bound on execution environments is shared in the
 * same way, so that a flood on one function never takes what another has reserved.
 */
import { TokenBucket } from "../kit/token-bucket.ts";
import type { FunctionOwner } from "./types.ts";

/** Requests per second for each concurrent execution. */
export const requestsPerConcurrency = 10;
/** Environments that a function may begin at once, and how fast this refills: 1,000 every 10 seconds. */
const environmentsBurst = 1_000;
const environmentsPerSecond = 100;
/** Where more is reserved than the machine has, functions without a reservation keep this share of it. */
const unreservedShareMin = 0.1;

/** AWS's reasons of a TooManyRequestsException. */
export type ThrottleReason =
  | "ConcurrentInvocationLimitExceeded"
  | "FunctionInvocationRateLimitExceeded"
  | "ReservedFunctionConcurrentInvocationLimitExceeded"
  | "ReservedFunctionInvocationRateLimitExceeded";

/** An invocation that may not run now. There is one of each kind: a refusal must cost nothing, and so has no stack of its own. */
export class ThrottledError extends Error {
  readonly reason: ThrottleReason;
  /** The function has reserved nothing: it is switched off, and waiting does not help. */
  readonly isSwitchedOff: boolean;

  constructor(reason: ThrottleReason, isSwitchedOff = false) {
    super("Rate Exceeded.");
    this.name = "ThrottledError";
    this.reason = reason;
    this.isSwitchedOff = isSwitchedOff;
  }

  /** After how many seconds another try is worth it, where that is known. */
  get retryAfterSeconds(): number | undefined {
    return this.reason.includes("Rate") ? 1 : undefined;
  }
}

const concurrent = new ThrottledError("ConcurrentInvocationLimitExceeded");
const rate = new ThrottledError("FunctionInvocationRateLimitExceeded");
const reservedConcurrent = new ThrottledError("ReservedFunctionConcurrentInvocationLimitExceeded");
const reservedRate = new ThrottledError("ReservedFunctionInvocationRateLimitExceeded");
const switchedOff = new ThrottledError("ReservedFunctionConcurrentInvocationLimitExceeded", true);

export interface ConcurrencyLimits {
  /** Concurrent executions of one account in one region. */
  readonly concurrentExecutions: number;
  /** Execution environments that may exist at once on this machine. */
  readonly environmentsMax: number;
}

/** What all functions together hold of something that is shared. */
class Shared {
  readonly max: number;
  /** The least that functions without a reservation share. */
  readonly #unreservedMin: number;
  /** Reserved, or provisioned for functions that have reserved nothing. */
  claimed = 0;
  /** Running on demand, of functions that have reserved nothing. */
  unreserved = 0;

  constructor(max: number, unreservedMin: number) {
    this.max = max;
    this.#unreservedMin = unreservedMin;
  }

  get isExhausted(): boolean {
    return this.unreserved >= this.unreservedMax;
  }

  get unreservedMax(): number {
    return Math.max(this.max - this.claimed, this.#unreservedMin);
  }
}

/** One account in one region. */
export class AccountConcurrency extends Shared {
  readonly requests: TokenBucket;
  /** Running, of any kind. */
  running = 0;

  constructor(max: number, now: number) {
    super(max, 0);
    this.requests = new TokenBucket(max * requestsPerConcurrency, now);
  }
}

/** One function, over all its versions. */
export class FunctionConcurrency {
  readonly account: AccountConcurrency;
  readonly #machine: Shared;
  #requests: TokenBucket;
  readonly #environments: TokenBucket;
  #reserved: number | undefined;
  readonly #provisionedOf = new Map<string, number>();
  #provisioned = 0;
  /** Running on environments that were made for them. */
  #onDemand = 0;
  #onProvisioned = 0;
  usedAt: number;

  constructor(account: AccountConcurrency, machine: Shared, now: number) {
    this.account = account;
    this.#machine = machine;
    this.#requests = new TokenBucket(0, now);
    this.#environments = new TokenBucket(environmentsBurst, now);
    this.usedAt = now;
  }

  get reserved(): number | undefined {
    return this.#reserved;
  }

  get running(): number {
    return this.#onDemand + this.#onProvisioned;
  }

  /** Nothing of it needs to be remembered. */
  get isForgettable(): boolean {
    return this.#reserved === undefined && this.#provisioned === 0 && this.running === 0;
  }

  /** @param reserved undefined for a share of what nobody has reserved. */
  reserve(reserved: number | undefined, now: number): void {
    this.#requests = new TokenBucket((reserved ?? 0) * requestsPerConcurrency, now);
    this.#claim(reserved, this.#provisioned);
  }

  /** @param key Of the version. */
  provision(key: string, provisioned: number): void {
    if (provisioned === 0) this.#provisionedOf.delete(key);
    else this.#provisionedOf.set(key, provisioned);
    this.#claim(
      this.#reserved,
      [...this.#provisionedOf.values()].reduce((sum, one) => sum + one, 0),
    );
  }

  /** Why one more may not run on demand; counts it where it may. @param isSynchronous Only these have a limit by the second. */
  admit(isSynchronous: boolean, now: number): ThrottledError | undefined {
    this.usedAt = now;
    const { account } = this;
    const machine = this.#machine;
    if (this.#reserved === undefined) {
      if (account.isExhausted || machine.isExhausted) return concurrent;
      const perSecond = account.unreservedMax * requestsPerConcurrency;
      if (isSynchronous && !account.requests.take(now, perSecond, perSecond)) return rate;
      account.unreserved++;
      machine.unreserved++;
    } else {
      if (this.#reserved === 0) return switchedOff;
      // What is provisioned is part of what is reserved.
      if (this.#onDemand >= this.#reserved - this.#provisioned) return reservedConcurrent;
      const perSecond = this.#reserved * requestsPerConcurrency;
      if (isSynchronous && !this.#requests.take(now, perSecond, perSecond)) return reservedRate;
    }
    this.#onDemand++;
    account.running++;
    return undefined;
  }

  release(): void {
    if (this.#reserved === undefined) {
      this.account.unreserved--;
      this.#machine.unreserved--;
    }
    this.#onDemand--;
    this.account.running--;
  }

  /** One more runs on a provisioned environment, which is its place. */
  admitProvisioned(now: number): void {
    this.usedAt = now;
    this.#onProvisioned++;
    this.account.running++;
  }

  releaseProvisioned(): void {
    this.#onProvisioned--;
    this.account.running--;
  }

  /** Why no environment may be begun; counts it where it may. */
  admitEnvironment(now: number): ThrottledError | undefined {
    if (this.#environments.take(now, environmentsPerSecond, environmentsBurst)) return undefined;
    return this.#reserved === undefined ? concurrent : reservedConcurrent;
  }

  /** An environment that was counted is not begun after all. */
  withdrawEnvironment(): void {
    this.#environments.putBack();
  }

  /** The machine has no place left. */
  get noPlace(): ThrottledError {
    return this.#reserved === undefined ? concurrent : reservedConcurrent;
  }

  #claim(reserved: number | undefined, provisioned: number): void {
    const before = this.#reserved ?? this.#provisioned;
    const change = (reserved ?? provisioned) - before;
    for (const shared of [this.account, this.#machine]) {
      shared.claimed += change;
      if (this.#reserved === undefined && reserved !== undefined) shared.unreserved -= this.#onDemand;
      if (this.#reserved !== undefined && reserved === undefined) shared.unreserved += this.#onDemand;
    }
    this.#reserved = reserved;
    this.#provisioned = provisioned;
  }
}

/** Every function that runs or has something reserved. */
export class Concurrency {
  readonly #limits: ConcurrencyLimits;
  readonly #machine: Shared;
  readonly #accounts = new Map<string, AccountConcurrency>();
  readonly #functions = new Map<string, FunctionConcurrency>();

  constructor(limits: ConcurrencyLimits) {
    this.#limits = limits;
    const { environmentsMax } = limits;
    this.#machine = new Shared(environmentsMax, Math.ceil(environmentsMax * unreservedShareMin));
  }

  of({ account, region, functionArn }: FunctionOwner, now: number): FunctionConcurrency {
    const known = this.#functions.get(functionArn);
    if (known) return known;
    const fresh = new FunctionConcurrency(this.#account(`${account} ${region}`, now), this.#machine, now);
    this.#functions.set(functionArn, fresh);
    return fresh;
  }

  /** Forgets functions that nothing was heard of since `usedBefore`. @param isHeld Whether somebody holds on to one. */
  forget(usedBefore: number, isHeld: (one: FunctionConcurrency) => boolean): void {
    for (const [arn, one] of this.#functions)
      if (one.isForgettable && one.usedAt < usedBefore && !isHeld(one)) this.#functions.delete(arn);
  }

  #account(key: string, now: number): AccountConcurrency {
    const known = this.#accounts.get(key);
    if (known) return known;
    const fresh = new AccountConcurrency(this.#limits.concurrentExecutions, now);
    this.#accounts.set(key, fresh);
    return fresh;
  }
}
