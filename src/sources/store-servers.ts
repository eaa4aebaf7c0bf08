/** All SQL of the servers that share the work of mappings. */
import { sql } from "../store/database.ts";
import type { Transaction } from "../store/database.ts";

const SEEN = sql(
  "sources.server-seen",
  `INSERT INTO source_servers (name, until) VALUES (?, ?)
   ON CONFLICT (name) DO UPDATE SET until = excluded.until`,
);
const FORGET_DEAD = sql("sources.server-forget-dead", "DELETE FROM source_servers WHERE until <= ?");
const LIVING = sql("sources.server-living", "SELECT name FROM source_servers ORDER BY name");
const FORGET = sql("sources.server-forget", "DELETE FROM source_servers WHERE name = ?");

/** Says that a server lives until then, and answers all that do, in order. @param until Epoch milliseconds. */
export async function tellServer(
  tx: Transaction,
  name: string,
  now: number,
  until: number,
): Promise<readonly string[]> {
  await tx.run(SEEN, name, until);
  await tx.run(FORGET_DEAD, now);
  const rows = await tx.all<{ name: string }>(LIVING);
  return rows.map((row) => row.name);
}

export async function forgetServer(tx: Transaction, name: string): Promise<void> {
  await tx.run(FORGET, name);
}
