/**
 * How many batches of a queue are in flight at once: few at first, more each second while that is not enough, fewer when the function
 * is throttled, and few again after a rest.
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
/** After a throttle nothing is raised for this long. */
const CALM_MS = 10_000;
/** Pauses after throttles, each twice as long as the last. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 10_000;
const SECOND_MS = 1_000;

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

export class Scaling {
  readonly #bounds: Bounds;
  #limit: number;
  #raisedAt = -Infinity;
  #busyAt = -Infinity;
  #throttledAt = -Infinity;
  #throttles = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#limit = bounds.start;
  }

  /** Batches that may be in flight. */
  limit(now: number): number {
    if (now - this.#busyAt > REST_MS && this.#limit !== this.#bounds.start) this.#limit = this.#bounds.start;
    return this.#limit;
  }

  /** As many are in flight as may be, and there are more messages. */
  saturated(now: number): void {
    this.#busyAt = now;
    if (now - this.#raisedAt < SECOND_MS || now - this.#throttledAt < CALM_MS) return;
    const { max, raisePerMinute } = this.#bounds;
    // The first second of a burst is run with what it starts with.
    const isFirst = now - this.#raisedAt > REST_MS;
    this.#raisedAt = now;
    if (!isFirst) this.#limit = Math.min(max, this.#limit + Math.ceil(raisePerMinute / 60));
  }

  /** No concurrency was free. @param running Batches in flight, without the one that was not run. @returns for how long to pause, in ms. */
  throttled(now: number, running: number): number {
    this.#busyAt = now;
    this.#throttledAt = now;
    this.#limit = Math.max(1, Math.min(this.#limit, running));
    return Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** this.#throttles++);
  }

  succeeded(): void {
    this.#throttles = 0;
  }
}
