/**
 * Fair queues: which groups of a standard queue are noisy now, looked at anew from time to time while its messages have groups. Messages
 * of a noisy group that receivers meet are set aside, so that what others wait for is not behind them; they are received when nothing else
 * can be.
 */
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import type { MessageRow, Receipt } from "../messages/message.ts";
import type { Queue } from "../queues/settings.ts";
import {
  addAside,
  asidesOf,
  dropAsideIfEmpty,
  inFlightByGroup,
  isGrouped,
  lastSentAt,
} from "../store/asides.ts";
import { countHiddenInChunks } from "../store/claimed-chunks.ts";
import { RecentWork } from "./recent-work.ts";
import { SILENCE_MS, noisyGroups } from "./rule.ts";
import type { Load } from "./rule.ts";

/** What a claim has to know. */
export interface Lanes {
  /** Groups whose messages come last, in the order in which they are received of. */
  readonly noisy: readonly string[];
  /** Where a group's messages are set aside; those of a group that is not noisy come back. */
  readonly asides: ReadonlyMap<string, number>;
}

interface State {
  isGrouped: boolean;
  noisy: readonly string[];
  asides: ReadonlyMap<string, number>;
  /** When it is to be looked at anew. */
  until: number;
  readonly work: RecentWork;
}

/** Between two looks, in milliseconds. */
const LOOK_MS = 200;
/** A look that took long is the last one for so many times as long. */
const KEPT_FOR = 20;
/** Queues that are known; then all are forgotten, and looked at anew. */
const STATES_MAX = 10_000;

export class Fairness {
  readonly #deps: { readonly clock: Clock; readonly database: Database };
  readonly #states = new Map<number, State>();

  constructor(deps: { readonly clock: Clock; readonly database: Database }) {
    this.#deps = deps;
  }

  /** Before a claim of a standard queue; undefined where no message comes before another. */
  async look(queue: Queue): Promise<Lanes | undefined> {
    const state = this.#states.get(queue.id) ?? (await this.#begin(queue));
    if (state.isGrouped && state.until <= this.#deps.clock.now()) await this.#evaluate(queue, state);
    return state.noisy.length === 0 && state.asides.size === 0 ? undefined : state;
  }

  /** What was received. */
  received({ id }: Queue, rows: readonly MessageRow[]): void {
    const state = this.#states.get(id);
    if (!state) return;
    state.isGrouped ||= rows.some(({ group_id }) => group_id !== null);
    if (state.isGrouped)
      for (const { seq, group_id, claimed_at } of rows) state.work.began(seq, group_id, claimed_at);
  }

  /** What was deleted. */
  deleted({ id }: Queue, receipts: readonly Receipt[]): void {
    const state = this.#states.get(id);
    if (!state?.isGrouped) return;
    const now = this.#deps.clock.now();
    for (const { seq } of receipts) state.work.ended(seq, now);
  }

  /** Where messages of a queue that may be visible again are set aside. */
  asidesOf(queueId: number): Iterable<number> {
    return this.#states.get(queueId)?.asides.values() ?? [];
  }

  /** How many groups are noisy now; undefined where messages have no groups. */
  noisyGroups(queueId: number): number | undefined {
    const state = this.#states.get(queueId);
    return state?.isGrouped === true ? state.noisy.length : undefined;
  }

  /** Something was set aside, or taken away, by another server: the next claim looks anew. */
  changed({ id }: Queue): void {
    const state = this.#states.get(id);
    if (!state) return;
    state.isGrouped = true;
    state.until = 0;
  }

  forget(id: number): void {
    this.#states.delete(id);
  }

  async #begin({ id }: Queue): Promise<State> {
    const { database } = this.#deps;
    const asides = await asidesOf(database, id);
    const state: State = {
      isGrouped: asides.size > 0 || (await isGrouped(database, id)),
      noisy: [],
      asides,
      until: 0,
      work: new RecentWork(),
    };
    if (this.#states.size >= STATES_MAX) this.#states.clear();
    this.#states.set(id, state);
    return state;
  }

  async #evaluate(queue: Queue, state: State): Promise<void> {
    const { clock, database } = this.#deps;
    const now = clock.now();
    const since = performance.now();
    const asides = new Map(await asidesOf(database, queue.id));
    const noisy: string[] = [];
    for (const group of noisyGroups(...(await this.#loads(queue, state, now))))
      if ((await lastSentAt(database, queue.id, asides.get(group), group)) > now - SILENCE_MS)
        noisy.push(group);
    for (const [group, aside] of asides)
      if (!noisy.includes(group) && (await dropAsideIfEmpty(database, aside))) asides.delete(group);
    for (const group of noisy)
      if (!asides.has(group)) {
        const aside = await addAside(database, queue.id, group);
        if (aside !== undefined) asides.set(group, aside);
      }
    state.noisy = noisy.filter((group) => asides.has(group));
    state.asides = asides;
    state.until = now + Math.max(LOOK_MS, (performance.now() - since) * KEPT_FOR);
  }

  async #loads(queue: Queue, state: State, now: number): Promise<[ReadonlyMap<string, Load>, Load]> {
    const work = state.work.until(now);
    const { database } = this.#deps;
    const { all, byGroup } = await inFlightByGroup(database, queue.id, now);
    const inChunks = await countHiddenInChunks(database, queue.id, now);
    const groups = new Map<string, Load>();
    for (const group of new Set([...byGroup.keys(), ...work.byGroup.keys()]))
      groups.set(group, {
        inFlight: byGroup.get(group) ?? 0,
        processingMs: work.byGroup.get(group) ?? 0,
      });
    return [groups, { inFlight: all + inChunks, processingMs: work.all }];
  }
}
