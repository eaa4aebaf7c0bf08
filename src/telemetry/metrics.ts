/** Metrics of the services, counted at their source and kept by the minute in memory: what CloudWatch and Prometheus are told from. */
import type { Clock } from "../kit/clock.ts";

/** Minutes of one series that are kept; older ones are only in its totals. */
const minutesKept = 16;
/** Series kept; beyond it those without values for longest are dropped. One takes about 700 bytes. */
const seriesMax = 50_000;
const minuteMs = 60_000;

type Amount = "Bits" | "Bytes" | "Count";
type Prefix = "Kilo" | "Mega" | "Giga" | "Tera";
type Sized = Amount | `${Prefix}${"bits" | "bytes"}`;

/** CloudWatch's units. */
export type Unit =
  | "None"
  | "Percent"
  | "Seconds"
  | "Milliseconds"
  | "Microseconds"
  | Sized
  | `${Sized}/Second`;

export interface SeriesId {
  /** `AWS/Lambda`; what does not begin with `AWS/` is a customer's own. */
  readonly namespace: string;
  readonly name: string;
  readonly unit: Unit;
  /** What the values mean together: events that add up, levels of which the highest counts, or a distribution. */
  readonly kind: "sum" | "level" | "distribution";
  readonly account: string;
  readonly region: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** The values of one minute. */
export interface Point {
  /** Since the Unix epoch. */
  readonly minute: number;
  readonly sum: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

interface MutablePoint {
  minute: number;
  sum: number;
  count: number;
  min: number;
  max: number;
}

/** One metric with one set of dimensions. Whoever counts often holds on to it. */
export class Series {
  readonly id: SeriesId;
  /** Since the server started. */
  sum = 0;
  count = 0;
  readonly #list: (series: Series) => Series;
  readonly #points: MutablePoint[] = [];
  #current: MutablePoint | undefined;
  /** The one that took its place after this one had been dropped for want of values. */
  #successor: Series | undefined;

  /** @param list Called with the first value of each minute; tells which series stands for this id now. */
  constructor(id: SeriesId, list: (series: Series) => Series) {
    this.id = id;
    this.#list = list;
  }

  /** @param minute Of the event, since the Unix epoch; see `Metrics.minute`. */
  add(value: number, minute: number): void {
    if (this.#successor) return this.#successor.add(value, minute);
    if (this.#current?.minute !== minute) {
      const listed = this.#list(this);
      if (listed !== this) return (this.#successor = listed).add(value, minute);
    }
    const point = this.#current?.minute === minute ? this.#current : this.#pointOf(minute);
    this.sum += value;
    this.count++;
    point.sum += value;
    point.count++;
    if (value < point.min) point.min = value;
    if (value > point.max) point.max = value;
  }

  /** The kept minutes that have values, oldest first. */
  points(): Point[] {
    return this.#points.map((point) => ({ ...point }));
  }

  /** The highest value of the minutes from `minute` on; 0 when there is none. */
  highestSince(minute: number): number {
    return this.#points.reduce(
      (most, point) => (point.minute >= minute ? Math.max(most, point.max) : most),
      0,
    );
  }

  /** Events are counted in the minute in which they began, which may have passed; one too long ago counts in the oldest. */
  #pointOf(minute: number): MutablePoint {
    const points = this.#points;
    const at = points.findLastIndex((point) => point.minute <= minute);
    const found = points[at];
    if (found?.minute === minute) return found;
    if (at === -1 && points.length === minutesKept) return points[0] as MutablePoint;
    const point = { minute, sum: 0, count: 0, min: Infinity, max: -Infinity };
    points.splice(at + 1, 0, point);
    if (points.length > minutesKept) points.shift();
    if (points.at(-1) === point) this.#current = point;
    return point;
  }
}

export class Metrics {
  readonly #clock: Pick<Clock, "now">;
  readonly #seriesMax: number;
  /** Those with a value most recently are last, to the minute. */
  readonly #series = new Map<string, Series>();
  readonly #measures: (() => Promise<void>)[] = [];

  constructor(clock: Pick<Clock, "now">, max = seriesMax) {
    this.#clock = clock;
    this.#seriesMax = max;
  }

  /** The current minute since the Unix epoch. */
  minute(): number {
    return Math.floor(this.#clock.now() / minuteMs);
  }

  /** The series of an id, always the same one. */
  series(id: SeriesId): Series {
    const key = JSON.stringify([id.namespace, id.name, id.unit, id.account, id.region, id.dimensions]);
    return this.#series.get(key) ?? this.#list(key, new Series(id, (series) => this.#list(key, series)));
  }

  /** Called before metrics are told: counts what costs something to count, and is of interest only then. */
  measuredBy(measure: () => Promise<void>): void {
    this.#measures.push(measure);
  }

  /** Resolves once everything that is counted only when it is asked for has been. Whoever tells metrics calls it before. */
  async measure(): Promise<void> {
    for (const measure of this.#measures) await measure();
  }

  /** Every series that has values. */
  all(): Series[] {
    return [...this.#series.values()].filter((series) => series.count > 0);
  }

  #list(key: string, series: Series): Series {
    const listed = this.#series.get(key) ?? series;
    this.#series.delete(key);
    this.#series.set(key, listed);
    if (this.#series.size > this.#seriesMax) this.#series.delete(this.#series.keys().next().value as string);
    return listed;
  }
}
