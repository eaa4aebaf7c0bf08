/** dynamodb: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import { TableCopies } from "./backups/copies.ts";
import { HistoryLog } from "./backups/history-log.ts";
import { BackupHousekeeping } from "./backups/housekeeping.ts";
import type { DynamoDbDeps } from "./deps.ts";
import { ExpirySweeper } from "./expiry/sweeper.ts";
import { ThroughputMeter } from "./items/throughput.ts";
import { operationTable } from "./operation-table.ts";
import { createDirectItems } from "./operations/direct.ts";
import { anyPolicies, migrations, sharedMigrations } from "./store.ts";
import { StreamHousekeeping } from "./streams/housekeeping.ts";
import { StreamReader } from "./streams/reader.ts";
import { openSequence } from "./streams/sequence.ts";
import { StreamLog } from "./streams/stream-log.ts";
import { TableCounts } from "./tables/counts.ts";
import type { TableDefinition } from "./tables/definition.ts";
import { Deletions } from "./tables/deletions.ts";
import { TableTasks } from "./tables/tasks.ts";
import { TableRegistry } from "./tables/registry.ts";

export type { DynamoDbDeps } from "./deps.ts";
export type {
  DynamoDbRecord,
  DynamoDbShard,
  ShardPosition,
  ShardRead,
  StreamReader,
} from "./streams/reader.ts";

export interface DynamoDb {
  readonly service: Service;
  /** The streams of tables, for the API of streams and for event source mappings. */
  readonly streams: StreamReader;
  stop(): Promise<void>;
}

export async function createDynamoDb(deps: DynamoDbDeps): Promise<DynamoDb> {
  const { database, clock, log } = deps;
  await database.migrate("dynamodb", migrations);
  if (database.engine === "postgres") await database.migrate("dynamodb-shared", sharedMigrations);
  const tables = new TableRegistry(database, clock, deps.policies);
  const deletions = new Deletions(database, tables, log);
  await deletions.resume();
  if (await anyPolicies(database)) tables.expectPolicies();
  const tasks = new TableTasks({ database, tables, log });
  const sequence = await openSequence(database, clock);
  const writeDeps = {
    ...deps,
    tables,
    throughput: new ThroughputMeter(clock),
    streams: new StreamLog({ ...deps, sequence }),
    history: new HistoryLog({ clock, sequence }),
  };
  const copies = new TableCopies({ clock, database, tables, tasks, log });
  const sweeper = new ExpirySweeper(writeDeps);
  const operationDeps = {
    ...writeDeps,
    tasks,
    copies,
    counts: new TableCounts(database, clock),
    sweepExpired: () => sweeper.start(),
    finishDeletion: (table: TableDefinition) => deletions.begin(table),
  };
  const housekeeping = [new StreamHousekeeping(deps), new BackupHousekeeping({ ...deps, tasks })];
  sweeper.start();
  await tasks.resume();
  await copies.resume();
  return {
    service: {
      ...bindService("dynamodb", operationTable, operationDeps, authorization(tables, deps.policies)),
      direct: createDirectItems(operationDeps),
    },
    streams: new StreamReader(deps),
    async stop() {
      await sweeper.stop();
      for (const one of housekeeping) await one.stop();
      await copies.stop();
      await tasks.stop();
      await deletions.stop();
    },
  };
}
