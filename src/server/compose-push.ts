/** The services that push, and the courier that carries for them. */
import {
  apiDestinationTarget,
  busTarget,
  createCourier,
  endpointTarget,
  functionTarget,
  logGroupTarget,
  queueTarget,
  streamTarget,
  topicTarget,
} from "../courier/index.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { CloudwatchLogs } from "../services/cloudwatch-logs/index.ts";
import { createEventBridge } from "../services/eventbridge/index.ts";
import type { Iam } from "../services/iam/index.ts";
import type { KinesisService } from "../services/kinesis/index.ts";
import type { Functions } from "../services/lambda/index.ts";
import { createScheduler } from "../services/scheduler/index.ts";
import { createSns } from "../services/sns/index.ts";
import type { SqsService } from "../services/sqs/index.ts";
import type { Store } from "../store/index.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

interface Base extends Pick<Store, "database" | "queue" | "signals"> {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly counters: Metrics;
  /** Rules that an event bus may have. */
  readonly eventRules: number;
}

/** What they push to. */
interface Given {
  readonly sqs: SqsService;
  readonly kinesis: KinesisService;
  readonly logs: CloudwatchLogs;
  readonly functions: Pick<Functions, "check" | "invokeAsync">;
  readonly iam: Iam;
}

export async function composePush(
  { counters, eventRules, ...base }: Base,
  { sqs, kinesis, logs, functions, iam }: Given,
  owned: <T extends { stop(): Promise<void> }>(service: T) => T,
) {
  const common = { ...base, metrics: counters, policies: iam.resourcePolicies, roles: iam.roles };
  const endpoints = endpointTarget(base.clock);
  const courier = createCourier({
    ...common,
    // The one table of targets, by the service in their ARNs.
    targets: {
      lambda: functionTarget(functions),
      sqs: queueTarget(sqs.intake),
      sns: topicTarget(() => sns.topics),
      kinesis: streamTarget(kinesis.intake),
      logs: logGroupTarget(logs.intake, base.clock),
      http: endpoints,
      "api-destination": apiDestinationTarget(() => eventBridge.apiDestinations, endpoints),
      events: busTarget(() => eventBridge.intake),
    },
  });
  const sns = owned(await createSns({ ...common, courier }));
  const eventBridge = owned(await createEventBridge({ ...common, courier, rulesMax: eventRules }));
  const scheduler = owned(await createScheduler({ ...common, courier }));
  return {
    courier,
    sns,
    events: eventBridge.intake,
    services: [sns, eventBridge, scheduler],
    /** What comes due with time. */
    runners: [...eventBridge.runners, scheduler.runner],
    start() {
      courier.start();
      logs.start();
      eventBridge.start();
      scheduler.runner.start();
    },
    stop: (graceMs: number) => courier.stop(graceMs),
  };
}
