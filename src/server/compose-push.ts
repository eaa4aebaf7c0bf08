/** The services that push, and the courier that carries for them. */
import {
  apiDestinationTarget,
  busTarget,
  createCourier,
  createHttpCaller,
  createReach,
  endpointTarget,
  functionTarget,
  logGroupTarget,
  operationTarget,
  queueTarget,
  streamTarget,
  topicTarget,
} from "../courier/index.ts";
import type { NamedCall, NamedCalls } from "../aws/index.ts";
import type { ReachPolicy } from "../courier/index.ts";
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
  /** Where endpoints may be. */
  readonly reach: ReachPolicy;
}

/** What they push to. */
interface Given {
  readonly sqs: SqsService;
  readonly kinesis: KinesisService;
  readonly logs: CloudwatchLogs;
  readonly functions: Pick<Functions, "check" | "invokeAsync">;
  readonly iam: Iam;
  /** Of the front door, which is made after. */
  readonly calls: () => NamedCalls;
}

export async function composePush(
  { counters, eventRules, reach, ...base }: Base,
  { sqs, kinesis, logs, functions, iam, calls }: Given,
  owned: <T extends { stop(): Promise<void> }>(service: T) => T,
) {
  const common = { ...base, metrics: counters, policies: iam.resourcePolicies, roles: iam.roles };
  const caller = createHttpCaller({ clock: base.clock, reach: createReach(reach) });
  owned({ stop: () => Promise.resolve(caller.close()) });
  const endpoints = endpointTarget(base.clock, caller);
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
      scheduler: operationTarget(() => roleCalls(iam, calls()), base.clock),
    },
  });
  const sns = owned(await createSns({ ...common, courier, endpoints: caller }));
  const eventBridge = owned(
    await createEventBridge({ ...common, courier, endpoints: caller, rulesMax: eventRules }),
  );
  const scheduler = owned(
    await createScheduler({ ...common, courier, operations: { fault: (call) => calls().fault(call) } }),
  );
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

/** How EventBridge Scheduler's sessions of roles are called, and what its requests say of who sends them. */
const SCHEDULER_SESSION = {
  name: "EventBridgeScheduler",
  seconds: 3_600,
  agent: "AmazonEventBridgeScheduler",
};

/** Operations that a role calls, for the service that it lets act for it. */
function roleCalls({ roles, accessKeys }: Iam, calls: NamedCalls) {
  const { name, seconds, agent } = SCHEDULER_SESSION;
  return {
    async call({ roleArn, ...call }: { readonly roleArn: string } & Omit<NamedCall, "principal" | "agent">) {
      const { accessKeyId } = await roles.session(roleArn, name, seconds);
      const key = await accessKeys.find(accessKeyId);
      if (!key) throw new Error(`the role ${roleArn} is gone`);
      return calls.call({ ...call, principal: key.principal, agent });
    },
  };
}
