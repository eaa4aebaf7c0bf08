/** Wake-ups between servers on one PostgreSQL: NOTIFY in the transaction that makes a job due, LISTEN in every server. */
import { Client } from "pg";
import type { Log } from "../../telemetry/log.ts";
import { sql } from "../database.ts";
import type { Transaction } from "../database.ts";
import type { Wakeups } from "../queue/wakeups.ts";

const CHANNEL = "lambent_queue";
const NOTIFY = sql("store.notify", "SELECT 1 AS sent FROM (SELECT pg_notify(?, ?)) AS notified");

/** Pause before a lost connection is made again, in milliseconds. */
const RECONNECT_MS = 1_000;

/** Tells all servers, once the transaction has committed, that a job of the topic is due at `dueAt` (epoch ms). */
export async function notify(transaction: Transaction, topic: string, dueAt: number): Promise<void> {
  await transaction.get(NOTIFY, CHANNEL, `${dueAt} ${topic}`);
}

export class Notifications {
  readonly #url: string;
  readonly #wakeups: Wakeups;
  readonly #log: Log;
  #client: Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(url: string, wakeups: Wakeups, log: Log) {
    this.#url = url;
    this.#wakeups = wakeups;
    this.#log = log;
  }

  /** Resolves once notifications arrive; a connection lost later is made again. */
  async start(): Promise<void> {
    const client = new Client({
      connectionString: this.#url,
      application_name: "lambent-wakeups",
      keepAlive: true,
    });
    client.on("notification", ({ payload = "" }) => {
      const space = payload.indexOf(" ");
      this.#wakeups.announce(payload.slice(space + 1), Number(payload.slice(0, space)));
    });
    client.on("error", (error) => this.#log.warn("The connection for wake-ups was lost", { error }));
    client.once("end", () => this.#again());
    this.#client = client;
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    // What was said meanwhile was not heard.
    this.#wakeups.announceAll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#client?.end();
  }

  #again(): void {
    if (this.#stopped || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.start().catch((error: unknown) => {
        this.#log.warn("PostgreSQL cannot be reached for wake-ups; trying again", { error });
        this.#again();
      });
    }, RECONNECT_MS);
    this.#retry.unref();
  }
}
