/** Schema migrations: each applied once, in order, in a transaction of its own, and remembered with its checksum. */
import { createHash } from "node:crypto";
import { sql } from "./database.ts";
import type { Migration, Transaction } from "./database.ts";

/** A transaction that can also run the statements of a migration. */
export interface MigrationTransaction extends Transaction {
  exec(text: string): Promise<void>;
}

export type MigrationRunner = <T>(work: (transaction: MigrationTransaction) => Promise<T>) => Promise<T>;

const NAME = /^\d{3}-[a-z0-9-]+$/;

const TABLE = `CREATE TABLE IF NOT EXISTS store_migration (
  component text NOT NULL, name text NOT NULL, checksum text NOT NULL, PRIMARY KEY (component, name))`;
const APPLIED = sql(
  "store.migrations",
  "SELECT name, checksum FROM store_migration WHERE component = ? ORDER BY name",
);
const REMEMBER = sql(
  "store.migration-remember",
  "INSERT INTO store_migration (component, name, checksum) VALUES (?, ?, ?)",
);

/**
 * Applies what is not applied yet.
 * @throws Error naming the migration that was changed after it was applied, that is missing, or that is out of order.
 */
export async function migrate(
  run: MigrationRunner,
  component: string,
  migrations: readonly Migration[],
): Promise<void> {
  refuseDisorder(component, migrations);
  const applied = await run(async (transaction) => {
    await transaction.exec(TABLE);
    return appliedTo(transaction, component);
  });
  refuseDifference(component, migrations, applied);
  for (const migration of migrations) {
    if (!applied.has(migration.name)) await run((transaction) => apply(transaction, component, migration));
  }
}

async function apply(
  transaction: MigrationTransaction,
  component: string,
  migration: Migration,
): Promise<void> {
  // Another server may have applied it since.
  const applied = await appliedTo(transaction, component);
  if (applied.get(migration.name) === checksum(migration)) return;
  await transaction.exec(migration.sql);
  await transaction.run(REMEMBER, component, migration.name, checksum(migration));
}

async function appliedTo(transaction: Transaction, component: string): Promise<Map<string, string>> {
  const rows = await transaction.all<{ name: string; checksum: string }>(APPLIED, component);
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function refuseDisorder(component: string, migrations: readonly Migration[]): void {
  let previous = "";
  for (const { name } of migrations) {
    if (!NAME.test(name))
      throw new Error(`Migration ${component}/${name} is not named like 001-what-it-does`);
    if (name.slice(0, 3) <= previous.slice(0, 3)) {
      throw new Error(`Migration ${component}/${name} is out of order: it is listed after ${previous}`);
    }
    previous = name;
  }
}

function refuseDifference(
  component: string,
  migrations: readonly Migration[],
  applied: ReadonlyMap<string, string>,
): void {
  const listed = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const [name, sum] of applied) {
    const migration = listed.get(name);
    if (migration === undefined) {
      throw new Error(
        `Migration ${component}/${name} was applied here but is missing: a newer Lambent wrote this data`,
      );
    }
    if (checksum(migration) !== sum) {
      throw new Error(`Migration ${component}/${name} was changed after it was applied`);
    }
  }
  const last = [...applied.keys()].at(-1) ?? "";
  for (const { name } of migrations) {
    if (!applied.has(name) && name < last) {
      throw new Error(`Migration ${component}/${name} is out of order: ${last} was applied before it`);
    }
  }
}

function checksum(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}
