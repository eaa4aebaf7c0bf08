/**
 * How many batches of a queue are in flight at once: few at first, more each second while that helps, fewer when the function is
 * throttled, and few again after a rest.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
import type { MappingSettings } from "../mapping.ts";

/** Of standard queues without provisioned pollers. */
const START = 5;
const RAISE_PER_MINUTE = 300;
const BATCHES_MAX = 1_250;
/** A provisioned poller has so many batches in flight. */
const PER_POLLER = 10;
const POLLERS_MIN_DEFAULT = 2;
const POLLERS_MAX_DEFAULT = 200;
const PROVISIONED_RAISE_PER_MINUTE = 1_000;
/** Without more than it could take, it begins anew after this long. */
const REST_MS = 60_000;
/** After a throttle, or a raise that brought nothing, nothing is raised for this long. */
const CALM_MS = 10_000;
/** Pauses after throttles, each twice as long as the last. */
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 10_000;
const SECOND_MS = 1_000;
/** A function that is quicker waits for nothing, so that more of it at once may only take the processors from each other. */
const QUICK_MS = 50;
/** The share of the last batch in the mean of what batches take. */
const MEAN_SHARE = 0.1;
/** Of what a raise would bring if batches did not hinder each other. */
const GAIN_MIN = 0.5;

interface Bounds {
  readonly start: number;
  readonly max: number;
  readonly raisePerMinute: number;
}

/** @param fifo Order bounds these: a batch for each message group, as the queue gives them out. */
export function boundsOf(settings: MappingSettings, fifo: boolean): Bounds {
  const { ScalingConfig, ProvisionedPollerConfig } = settings;
  if (ProvisionedPollerConfig) {
    const { MinimumPollers = POLLERS_MIN_DEFAULT, MaximumPollers = POLLERS_MAX_DEFAULT } =
      ProvisionedPollerConfig;
    const [start, max] = [MinimumPollers * PER_POLLER, MaximumPollers * PER_POLLER];
    return { start, max, raisePerMinute: PROVISIONED_RAISE_PER_MINUTE };
  }
  const max = Math.min(ScalingConfig?.MaximumConcurrency ?? BATCHES_MAX, BATCHES_MAX);
  if (fifo) return { start: max, max, raisePerMinute: RAISE_PER_MINUTE };
  return { start: Math.min(START, max), max, raisePerMinute: RAISE_PER_MINUTE };
}

/** Provisioned pollers that so many batches take. */
export function pollersOf(batches: number): number {
  return Math.ceil(batches / PER_POLLER);
}

export class Scaling {
  readonly #bounds: Bounds;
  #limit: number;
  #busyAt = -Infinity;
  #raisedAt = -Infinity;
  #calmUntil = -Infinity;
  #throttles = 0;
  #meanMs: number | undefined;
  /** Batches since the last raise. */
  #done = 0;
  /** What there was before it, and how many batches a second that did. */
  #before: { readonly limit: number; readonly perSecond: number } | undefined;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#limit = bounds.start;
  }

  /** Batches that may be in flight. */
  limit(now: number): number {
    if (now - this.#busyAt > REST_MS) {
      this.#limit = this.#bounds.start;
      this.#before = undefined;
    }
    return this.#limit;
  }

  /** Whether batches take so little that the next ones may be received while these run. */
  get isQuick(): boolean {
    return this.#meanMs !== undefined && this.#meanMs < QUICK_MS;
  }

  /** As many are in flight as may be, and there are more messages. */
  saturated(now: number): void {
    // The first second of a burst is run with what it starts with.
    if (now - this.#busyAt > REST_MS) {
      this.#raisedAt = now;
      this.#done = 0;
    }
    this.#busyAt = now;
    const elapsed = now - this.#raisedAt;
    if (elapsed < SECOND_MS || now < this.#calmUntil) return;
    const perSecond = (this.#done / elapsed) * SECOND_MS;
    this.#raisedAt = now;
    this.#done = 0;
    if (this.isQuick && !this.#hasGained(perSecond)) {
      this.#limit = this.#before?.limit ?? this.#limit;
      this.#before = undefined;
      this.#calmUntil = now + CALM_MS;
      return;
    }
    this.#before = { limit: this.#limit, perSecond };
    const { max, raisePerMinute } = this.#bounds;
    this.#limit = Math.min(max, this.#limit + Math.ceil(raisePerMinute / 60));
  }

  /** Whether the last raise has brought a good part of what it could. */
  #hasGained(perSecond: number): boolean {
    if (!this.#before) return true;
    const could = this.#limit / this.#before.limit - 1;
    return perSecond >= this.#before.perSecond * (1 + could * GAIN_MIN);
  }

  /**
   * No concurrency was free. @param running Batches that run: with some, the next one waits for one of them to end, and needs no pause.
   * @returns for how long to pause, in ms.
   */
  throttled(now: number, running: number): number {
    this.#busyAt = now;
    this.#calmUntil = now + CALM_MS;
    this.#before = undefined;
    this.#limit = Math.max(1, Math.min(this.#limit, running));
    return running > 0 ? 0 : Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** this.#throttles++);
  }

  /** A batch was run. */
  ran(ms: number): void {
    this.#throttles = 0;
    this.#done++;
    this.#meanMs = this.#meanMs === undefined ? ms : this.#meanMs + (ms - this.#meanMs) * MEAN_SHARE;
  }
}
