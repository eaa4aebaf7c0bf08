/** The engines that every store test runs on, each with fresh state for each test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store, StoreOptions } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";

/** One state, opened by one server, or (where the engine can) by several. */
export interface TestStore extends AsyncDisposable {
  readonly store: Store;
  readonly clock: MovableClock;
  readonly options: StoreOptions;
  /** Lines of the store's log. */
  readonly logged: string[];
  /** Closes and opens it again on the same state. */
  reopen(): Promise<Store>;
  /** A second server on the same database; PostgreSQL only. */
  another(): Promise<Store>;
}

export interface TestEngine {
  readonly name: "sqlite" | "postgres";
  fresh(): Promise<TestStore>;
}

/** Declares the tests once for each engine; where PostgreSQL is missing they are reported as skipped, with the reason. */
export function onEveryEngine(title: string, declare: (engine: TestEngine) => void): void {
  void describe(`${title} on SQLite`, () => {
    declare({ name: "sqlite", fresh: () => freshStore({ engine: "sqlite" }) });
  });
  const missing = postgresMissing();
  void describe(`${title} on PostgreSQL`, { skip: missing ?? false }, () => {
    let postgres: TestPostgres;
    before(async () => {
      postgres = await startPostgres();
    });
    after(() => postgres.stop());
    declare({
      name: "postgres",
      fresh: async () => freshStore({ engine: "postgres", postgresUrl: await postgres.newDatabase() }),
    });
  });
}

export async function freshStore(engine: Pick<StoreOptions, "engine" | "postgresUrl">): Promise<TestStore> {
  const clock = new MovableClock();
  const logged: string[] = [];
  const folders: string[] = [];
  const optionsWithFolder = async (): Promise<StoreOptions> => {
    const dataDir = await mkdtemp(join(tmpdir(), "lambent-store-"));
    folders.push(dataDir);
    return { ...engine, dataDir, clock, ids: randomIds, log: createLog("warn", (line) => logged.push(line)) };
  };
  const options = await optionsWithFolder();
  const clean = async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  };
  const open = [
    await openStore(options).catch(async (error: unknown) => {
      await clean();
      throw error;
    }),
  ];
  return {
    get store() {
      return open[0] as Store;
    },
    clock,
    options,
    logged,
    async reopen() {
      await open[0]?.close();
      open[0] = await openStore(options);
      return open[0];
    },
    async another() {
      const other = await openStore(await optionsWithFolder());
      open.push(other);
      return other;
    },
    async [Symbol.asyncDispose]() {
      for (const store of open) await store.close();
      await clean();
    },
  };
}
