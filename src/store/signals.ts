/** Wake-ups by topic, on all servers that share the database. */
import type { Clock } from "../kit/clock.ts";
import type { Transaction } from "./database.ts";
import type { Wakeups } from "./queue/wakeups.ts";

export interface Signals {
  /**
   * Wakes those who wait for the topic, on every server, once the transaction has committed.
   * @param at When, in epoch milliseconds; at once where it is not given
   */
  send(transaction: Transaction, topic: string, at?: number): Promise<void>;
  /** Wakes who waits on this server at a time (epoch milliseconds): they have seen in the database that something is due then. */
  remind(topic: string, at: number): void;
  /**
   * Resolves at the next signal of the topic, or when the signal aborts; now and then for no reason, since word may have been
   * missed. Nothing sent after the call is missed: call, look whether there is work, and only then await.
   */
  wait(topic: string, signal: AbortSignal): Promise<void>;
}

/** Apart from the queue's topics, which share the wake-ups. */
const PREFIX = "signal:";

export interface SignalDeps {
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  /** Tells other servers, where there can be any. */
  readonly notify?: (transaction: Transaction, topic: string, at: number) => Promise<void>;
}

export class DurableSignals implements Signals {
  readonly #deps: SignalDeps;

  constructor(deps: SignalDeps) {
    this.#deps = deps;
  }

  async send(transaction: Transaction, topic: string, at?: number): Promise<void> {
    const { clock, wakeups, notify } = this.#deps;
    const name = PREFIX + topic;
    transaction.onCommit(() => wakeups.announce(name, at ?? clock.now()));
    if (notify) await notify(transaction, name, at ?? clock.now());
  }

  remind(topic: string, at: number): void {
    this.#deps.wakeups.announce(PREFIX + topic, at);
  }

  wait(topic: string, signal: AbortSignal): Promise<void> {
    return this.#deps.wakeups.wait(PREFIX + topic, signal);
  }
}
