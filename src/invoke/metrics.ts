/** Lambda's metrics, counted where things happen. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
import type { Metrics, Series, SeriesId } from "../telemetry/metrics.ts";
import type { FunctionConcurrency } from "./concurrency.ts";
import type { FunctionVersion, Outcome } from "./types.ts";

const METRICS = {
  Invocations: ["Count", "sum"],
  Errors: ["Count", "sum"],
  Throttles: ["Count", "sum"],
  Duration: ["Milliseconds", "distribution"],
  PostRuntimeExtensionsDuration: ["Milliseconds", "distribution"],
  ConcurrentExecutions: ["Count", "level"],
  UnreservedConcurrentExecutions: ["Count", "level"],
  ClaimedAccountConcurrency: ["Count", "level"],
  ProvisionedConcurrentExecutions: ["Count", "level"],
  ProvisionedConcurrencyUtilization: ["None", "level"],
  ProvisionedConcurrencyInvocations: ["Count", "sum"],
  ProvisionedConcurrencySpilloverInvocations: ["Count", "sum"],
  AsyncEventsReceived: ["Count", "sum"],
  AsyncEventAge: ["Milliseconds", "distribution"],
  AsyncEventsDropped: ["Count", "sum"],
  DeadLetterErrors: ["Count", "sum"],
  DestinationDeliveryFailures: ["Count", "sum"],
  RecursiveInvocationsDropped: ["Count", "sum"],
  SignatureValidationErrors: ["Count", "sum"],
  UrlRequestCount: ["Count", "sum"],
  Url4xxCount: ["Count", "sum"],
  Url5xxCount: ["Count", "sum"],
  UrlRequestLatency: ["Milliseconds", "distribution"],
} as const satisfies Record<string, readonly [SeriesId["unit"], SeriesId["kind"]]>;

export type MetricName = keyof typeof METRICS;

/** What a metric is about: a region of an account, a function of it, or one of its names. */
export interface MetricSource {
  readonly account: string;
  readonly region: string;
  readonly functionName?: string;
  /** `name`, `name:version` or `name:alias`, as the function was invoked. */
  readonly resource?: string;
  /** The version that an alias led to. */
  readonly executedVersion?: string;
}

/** Lambda's metrics of every function. */
export class LambdaMetrics {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** The current minute since the Unix epoch. */
  minute(): number {
    return this.#metrics.minute();
  }

  /** Counts one event or value; where that happens with every invocation, hold on to its `series`. */
  record(source: MetricSource, name: MetricName, value: number): void {
    this.series(source, name).add(value, this.#metrics.minute());
  }

  series(source: MetricSource, name: MetricName): Series {
    const { account, region, functionName, resource, executedVersion } = source;
    const [unit, kind] = METRICS[name];
    const dimensions = {
      ...(functionName === undefined ? {} : { FunctionName: functionName }),
      ...(resource === undefined ? {} : { Resource: resource }),
      ...(executedVersion === undefined ? {} : { ExecutedVersion: executedVersion }),
    };
    return this.#metrics.series({ namespace: "AWS/Lambda", name, unit, kind, account, region, dimensions });
  }
}

/** The series of a version under one of its names. */
interface NamedSeries {
  readonly invocations: Series;
  readonly errors: Series;
  readonly duration: Series;
}

/** The same of provisioned concurrency. */
interface ProvisionedSeries {
  readonly invocations: Series;
  readonly spillover: Series;
  readonly executions: Series;
  readonly utilization: Series;
}

/** Names of one version whose series are held; a version has few aliases. */
const namesMax = 100;

/** The series that every invocation of a version counts in, found once. */
export class VersionMetrics {
  readonly #metrics: LambdaMetrics;
  readonly #version: FunctionVersion;
  readonly #named = new Map<string, NamedSeries>();
  readonly #provisioned = new Map<string, ProvisionedSeries>();
  readonly #concurrent: Series;
  readonly #accountConcurrent: Series;
  readonly #accountUnreserved: Series;
  readonly #accountClaimed: Series;

  constructor(metrics: LambdaMetrics, version: FunctionVersion) {
    this.#metrics = metrics;
    this.#version = version;
    const account = { account: version.account, region: version.region };
    this.#concurrent = metrics.series(
      { ...account, functionName: version.functionName },
      "ConcurrentExecutions",
    );
    this.#accountConcurrent = metrics.series(account, "ConcurrentExecutions");
    this.#accountUnreserved = metrics.series(account, "UnreservedConcurrentExecutions");
    this.#accountClaimed = metrics.series(account, "ClaimedAccountConcurrency");
  }

  /** An invocation is admitted. */
  began({ running, account }: FunctionConcurrency, minute: number): void {
    this.#concurrent.add(running, minute);
    this.#accountConcurrent.add(account.running, minute);
    this.#accountUnreserved.add(account.unreserved, minute);
    this.#accountClaimed.add(account.unreserved + account.claimed, minute);
  }

  /** An invocation ran to its end. @param minute In which it began. */
  ended(invokedFunctionArn: string, { functionError, durationMs }: Outcome, minute: number): void {
    const { invocations, errors, duration } =
      this.#named.get(invokedFunctionArn) ?? this.#name(invokedFunctionArn);
    invocations.add(1, minute);
    errors.add(functionError === undefined ? 0 : 1, minute);
    duration.add(durationMs, minute);
  }

  /** An invocation ran on provisioned concurrency. @param running On it, when this one began. */
  ranProvisioned(invokedFunctionArn: string, running: number, available: number, minute: number): void {
    const series = this.#provisionedSeries(invokedFunctionArn);
    series.invocations.add(1, minute);
    series.spillover.add(0, minute);
    series.executions.add(running, minute);
    series.utilization.add(available === 0 ? 1 : Math.min(1, running / available), minute);
  }

  /** An invocation ran on demand because all that is provisioned was in use. */
  spilled(invokedFunctionArn: string, minute: number): void {
    this.#provisionedSeries(invokedFunctionArn).spillover.add(1, minute);
  }

  #provisionedSeries(invokedFunctionArn: string): ProvisionedSeries {
    const known = this.#provisioned.get(invokedFunctionArn);
    if (known) return known;
    const source = sourceOf(this.#version, invokedFunctionArn);
    const series = {
      invocations: this.#metrics.series(source, "ProvisionedConcurrencyInvocations"),
      spillover: this.#metrics.series(source, "ProvisionedConcurrencySpilloverInvocations"),
      executions: this.#metrics.series(source, "ProvisionedConcurrentExecutions"),
      utilization: this.#metrics.series(source, "ProvisionedConcurrencyUtilization"),
    };
    if (this.#provisioned.size >= namesMax) this.#provisioned.clear();
    this.#provisioned.set(invokedFunctionArn, series);
    return series;
  }

  #name(invokedFunctionArn: string): NamedSeries {
    const source = sourceOf(this.#version, invokedFunctionArn);
    const named = {
      invocations: this.#metrics.series(source, "Invocations"),
      errors: this.#metrics.series(source, "Errors"),
      duration: this.#metrics.series(source, "Duration"),
    };
    if (this.#named.size >= namesMax) this.#named.clear();
    this.#named.set(invokedFunctionArn, named);
    return named;
  }
}

/** Where an invocation of a version under one of its names counts. AWS tells the executed version for aliases only. */
export function sourceOf(version: FunctionVersion, invokedFunctionArn: string): MetricSource {
  const { account, region, functionName } = version;
  const qualifier = invokedFunctionArn.split(":")[7];
  const isAlias = qualifier !== undefined && qualifier !== version.version;
  return {
    account,
    region,
    functionName,
    resource: qualifier === undefined ? functionName : `${functionName}:${qualifier}`,
    ...(isAlias ? { executedVersion: version.version } : {}),
  };
}
