/** eventbridge: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { DueRunner } from "../../store/due-runner.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { replays } from "./archives/replays.ts";
import { retention } from "./archives/retention.ts";
import { authorization } from "./authorization.ts";
import { createApiDestinations } from "./connections/request.ts";
import type { ApiDestinations } from "./connections/request.ts";
import { Sealer } from "./connections/sealed.ts";
import { Tokens } from "./connections/tokens.ts";
import type { EventBridge, EventBridgeState } from "./deps.ts";
import { EventMetrics } from "./event-metrics.ts";
import { buses as busTables } from "./migrations/001-buses.ts";
import { createIntake } from "./intake.ts";
import type { EventIntake } from "./intake.ts";
import { archives as archiveTables } from "./migrations/002-archives.ts";
import { connections as connectionTables } from "./migrations/003-connections.ts";
import { busDeadLetters } from "./migrations/004-bus-dead-letters.ts";
import { operationTable } from "./operation-table.ts";
import { BusRegistry } from "./rules/registry.ts";
import { scheduledRules } from "./schedules/scheduled-rules.ts";

export type { EventIntake, EventSender, IntakeEvent } from "./intake.ts";

export interface EventBridgeDeps extends EventBridgeState {
  readonly metrics: Metrics;
}

export interface EventBridgeService {
  readonly service: Service;
  /** For services that put events. */
  readonly intake: EventIntake;
  /** For the courier, which calls them. */
  readonly apiDestinations: ApiDestinations;
  /** What comes due with time: scheduled rules, replays, the end of retention. */
  readonly runners: readonly DueRunner[];
  /** Begins to do what is due. */
  start(): void;
  stop(): Promise<void>;
}

/** EventBridge over a database: buses, rules, and what they hand over by the courier. */
export async function createEventBridge({ metrics, ...deps }: EventBridgeDeps): Promise<EventBridgeService> {
  const { database } = deps;
  await database.migrate("eventbridge", [busTables, archiveTables, connectionTables, busDeadLetters]);
  const eventBridge: EventBridge = {
    ...deps,
    buses: new BusRegistry(database),
    metrics: new EventMetrics(metrics),
    sealer: await Sealer.open(database, deps.ids),
    tokens: new Tokens(deps),
  };
  const runners = [scheduledRules, replays, retention].map((work) => new DueRunner(deps, work(eventBridge)));
  return {
    service: bindService("eventbridge", operationTable, eventBridge, authorization(eventBridge)),
    intake: createIntake(eventBridge),
    apiDestinations: createApiDestinations(eventBridge),
    runners,
    start: () => runners.forEach((runner) => runner.start()),
    async stop() {
      await Promise.all(runners.map((runner) => runner.stop()));
    },
  };
}
