/** The dependencies of dynamodb. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import type { TableCopies } from "./backups/copies.ts";
import type { HistoryLog } from "./backups/history-log.ts";
import type { ThroughputMeter } from "./items/throughput.ts";
import type { ResourcePolicies } from "./ports.ts";
import type { StreamLog, StreamSignals } from "./streams/stream-log.ts";
import type { TableCounts } from "./tables/counts.ts";
import type { TableDefinition } from "./tables/definition.ts";
import type { TableTasks } from "./tables/tasks.ts";
import type { TableRegistry } from "./tables/registry.ts";

/** What is passed in. */
export interface DynamoDbDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly log: Log;
  readonly signals: StreamSignals;
  readonly policies: ResourcePolicies;
}

/** What the operations get. */
export interface OperationDeps extends DynamoDbDeps {
  readonly tables: TableRegistry;
  readonly counts: TableCounts;
  readonly streams: StreamLog;
  readonly history: HistoryLog;
  readonly copies: TableCopies;
  readonly throughput: ThroughputMeter;
  readonly tasks: TableTasks;
  /** Begins to delete expired items, where that has not begun. */
  sweepExpired(): void;
  /** Carries on, in the background, with a deletion that has begun. */
  finishDeletion(table: TableDefinition): void;
}
