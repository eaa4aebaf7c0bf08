/** {@link Leases} as a table: one row a name, kept after release so that its epoch never goes back. */
import type { Clock } from "../../kit/clock.ts";
import { sql } from "../database.ts";
import type { Database, SqlValue, Statement } from "../database.ts";
import type { Lease, Leases } from "../lease.ts";

const ACQUIRE = sql(
  "lease.acquire",
  `INSERT INTO lease (name, owner, epoch, expires_at) VALUES (?, ?, 1, ?)
   ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = lease.epoch + 1, expires_at = excluded.expires_at
   WHERE lease.expires_at <= ? OR lease.owner = excluded.owner
   RETURNING epoch`,
);
const RENEW = sql(
  "lease.renew",
  "UPDATE lease SET expires_at = ? WHERE name = ? AND epoch = ? AND expires_at > ?",
);
const RELEASE = sql("lease.release", "UPDATE lease SET expires_at = 0 WHERE name = ? AND epoch = ?");

export class DurableLeases implements Leases {
  readonly #transact: Database["tx"];
  readonly #clock: Clock;

  constructor(deps: { transact: Database["tx"]; clock: Clock }) {
    this.#transact = deps.transact;
    this.#clock = deps.clock;
  }

  /** An owner that acquires again what it holds gets a new epoch, and its older lease is stale. */
  async acquire(name: string, owner: string, durationMs: number): Promise<Lease | undefined> {
    const now = this.#clock.now();
    const row = await this.#transact((transaction) =>
      transaction.get<{ epoch: number }>(ACQUIRE, name, owner, now + durationMs, now),
    );
    if (row === undefined) return undefined;
    const { epoch } = row;
    return {
      name,
      epoch,
      renew: () => {
        const renewedAt = this.#clock.now();
        return this.#changed(RENEW, renewedAt + durationMs, name, epoch, renewedAt);
      },
      release: async () => {
        await this.#changed(RELEASE, name, epoch);
      },
    };
  }

  async #changed(statement: Statement, ...parameters: SqlValue[]): Promise<boolean> {
    return (await this.#transact((transaction) => transaction.run(statement, ...parameters))) > 0;
  }
}
