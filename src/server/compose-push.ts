/** The services that push, and the courier that carries for them. */
import {
  createCourier,
  endpointTarget,
  functionTarget,
  logGroupTarget,
  queueTarget,
  streamTarget,
} from "../courier/index.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { CloudwatchLogs } from "../services/cloudwatch-logs/index.ts";
import type { KinesisService } from "../services/kinesis/index.ts";
import type { Functions } from "../services/lambda/index.ts";
import type { SqsService } from "../services/sqs/index.ts";
import type { Service } from "../aws/service.ts";
import type { Store } from "../store/index.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

interface Base extends Pick<Store, "database" | "queue"> {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly counters: Metrics;
}

/** What they push to. */
interface Given {
  readonly sqs: SqsService;
  readonly kinesis: KinesisService;
  readonly logs: CloudwatchLogs;
  readonly functions: Pick<Functions, "check" | "invokeAsync">;
}

export function composePush({ counters, ...base }: Base, { sqs, kinesis, logs, functions }: Given) {
  const courier = createCourier({
    ...base,
    metrics: counters,
    // The one table of targets, by the service in their ARNs.
    targets: {
      lambda: functionTarget(functions),
      sqs: queueTarget(sqs.intake),
      kinesis: streamTarget(kinesis.intake),
      logs: logGroupTarget(logs.intake, base.clock),
      http: endpointTarget(base.clock),
    },
  });
  const services: { readonly service: Service }[] = [];
  return {
    courier,
    services,
    start() {
      courier.start();
      logs.start();
    },
    stop: (graceMs: number) => courier.stop(graceMs),
  };
}
