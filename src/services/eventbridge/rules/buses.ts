/** Rows of buses: found, and made for the default one, which every account has in every region. */
import type { Database, Transaction } from "../../../store/database.ts";
import { noSuchBus } from "../errors.ts";
import { DEFAULT_BUS } from "../names.ts";
import type { BusId } from "../names.ts";
import { getBus, insertBus } from "../store/buses.ts";
import type { BusRow } from "../store/buses.ts";

export function newBus(id: BusId, now: number): BusRow {
  const { account, region, name } = id;
  const times = { created_at: now, modified_at: now };
  return {
    account,
    region,
    name,
    description: "",
    log_config: "",
    dead_letter: "",
    policy: "",
    tags: "{}",
    ...times,
    // Above what a bus of this name had before.
    version: now,
  };
}

/** @throws AwsError ResourceNotFoundException */
export async function requireBus(tx: Transaction, id: BusId, now: number): Promise<BusRow> {
  const found = await getBus(tx, id);
  if (found) return found;
  if (id.name !== DEFAULT_BUS) throw noSuchBus(id.name);
  const row = newBus(id, now);
  await insertBus(tx, row);
  return row;
}

/** The same for who only reads. */
export function findBus(database: Database, id: BusId, now: number): Promise<BusRow> {
  return getBus(database, id).then((row) => row ?? database.tx((tx) => requireBus(tx, id, now)));
}
