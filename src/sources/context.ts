/** What a running source is given for one mapping. */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Database, Transaction } from "../store/database.ts";
import type { Leases } from "../store/lease.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { compileFilters } from "./filter.ts";
import type { RecordFilter } from "./filter.ts";
import type { Mapping } from "./mapping.ts";
import { MappingMetrics } from "./mapping-metrics.ts";
import type { SourceMetric } from "./mapping-metrics.ts";
import type { ExecutionRoles, MappedFunctions, RecordDestinations, UsedResource } from "./ports.ts";
import { ResultWriter } from "./result-writer.ts";
import type {
  FailureRecord,
  InvokeOptions,
  InvokeOutcome,
  MappedFunction,
  SourceContext,
  SourceKind,
} from "./source.ts";

export interface ContextDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly database: Database;
  readonly leases: Leases;
  readonly metrics: Metrics;
  readonly functions: MappedFunctions;
  readonly roles: ExecutionRoles;
  readonly destinations: RecordDestinations;
}

export class MappingContext implements SourceContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly database: Database;
  readonly leases: Leases;
  readonly owner: string;
  readonly servers: () => readonly string[];
  readonly isFiltered: boolean;
  readonly failureDestination: SourceContext["failureDestination"];
  readonly #deps: ContextDeps;
  readonly #mapping: Mapping;
  readonly #filter: RecordFilter | undefined;
  readonly #metrics: MappingMetrics;
  readonly #results: ResultWriter;

  constructor(
    deps: ContextDeps,
    mapping: Mapping,
    kind: Pick<SourceKind, "dataKey">,
    run: Pick<SourceContext, "signal" | "owner" | "servers">,
  ) {
    this.signal = run.signal;
    this.owner = run.owner;
    this.servers = run.servers;
    this.clock = deps.clock;
    this.ids = deps.ids;
    this.log = deps.log;
    this.database = deps.database;
    this.leases = deps.leases;
    this.#deps = deps;
    this.#mapping = mapping;
    this.#filter = compileFilters(mapping.settings.FilterCriteria, kind.dataKey);
    this.isFiltered = this.#filter !== undefined;
    this.failureDestination = destinationKind(mapping);
    this.#metrics = new MappingMetrics(deps.metrics, mapping);
    this.#results = new ResultWriter(deps, mapping);
  }

  matches(record: Readonly<Record<string, unknown>>, data?: string): boolean {
    return this.#filter === undefined || this.#filter(record, data);
  }

  target(): Promise<MappedFunction | undefined> {
    return this.#deps.functions.describe(this.#mapping.functionArn);
  }

  async mayRole(action: string, resource: UsedResource): Promise<boolean> {
    const target = await this.target();
    return target !== undefined && (await this.#deps.roles.mayUse(target.roleArn, action, resource));
  }

  async invoke(payload: Buffer, events: number, options: InvokeOptions = {}): Promise<InvokeOutcome> {
    const { functions } = this.#deps;
    const { traceHeaders = [] } = options;
    const outcome = await functions.invokeSync(this.#mapping.functionArn, { payload, traceHeaders });
    if (outcome.kind === "ok" || outcome.kind === "function-error") this.count("InvokedEventCount", events);
    if (outcome.kind !== "ok") this.count("FailedInvokeEventCount", events);
    return outcome;
  }

  processed(result: string): void {
    this.#results.tell(result);
  }

  count(metric: SourceMetric, value: number): void {
    this.#metrics.add(metric, value);
  }

  async onFailure(tx: Transaction, failure: FailureRecord): Promise<void> {
    const { functions, destinations, log } = this.#deps;
    const { functionArn, settings, uuid } = this.#mapping;
    const destination = settings.DestinationConfig?.OnFailure?.Destination;
    if (!destination) return;
    const target = await functions.describe(functionArn);
    if (!target) {
      log.warn("A record of failed events is dropped: their function is gone", { uuid, functionArn });
      return;
    }
    const { record, objectKey, traceHeader, events } = failure;
    await destinations.put(tx, { sender: target, destination, record, objectKey, traceHeader });
    tx.afterCommit(() => this.count("OnFailureDestinationDeliveredEventCount", events));
  }

  /** Writes what has been told and is not written yet. */
  flush(): Promise<void> {
    return this.#results.flush();
  }
}

function destinationKind({ settings }: Mapping): SourceContext["failureDestination"] {
  const destination = settings.DestinationConfig?.OnFailure?.Destination;
  if (!destination) return undefined;
  if (destination.startsWith("kafka://")) return "kafka";
  return destination.split(":")[2] === "s3" ? "s3" : "sqs";
}
