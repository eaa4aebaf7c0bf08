/** The courier: takes what services publish to targets that are named by ARN or URL, in the publisher's transaction. */
import type { Transaction } from "../store/database.ts";
import { count, time } from "./counters.ts";
import { bury } from "./dead-letters.ts";
import { asAttempt } from "./attempt.ts";
import type { Courier, Failure, Handed, Parcel, TargetRef } from "../aws/parcel.ts";
import { nextAttempt } from "./retry.ts";
import type { TargetKind } from "./target.ts";
import { Waiting } from "./waiting.ts";
import type { WaitingDeps } from "./waiting.ts";

export { createHttpCaller } from "./outside/http-caller.ts";
export type { HttpCaller } from "./outside/http-caller.ts";
export { createReach } from "./outside/reach.ts";
export type { ReachPolicy } from "./outside/reach.ts";
export type { Outcome, TargetKind } from "./target.ts";
export { apiDestinationTarget } from "./targets/api-destinations.ts";
export { busTarget } from "./targets/buses.ts";
export { endpointTarget } from "./targets/endpoints.ts";
export { functionTarget } from "./targets/functions.ts";
export { logGroupTarget } from "./targets/log-groups.ts";
export { operationTarget } from "./targets/operations.ts";
export { queueTarget } from "./targets/queues.ts";
export { streamTarget } from "./targets/streams.ts";
export { topicTarget } from "./targets/topics.ts";

export interface CourierService extends Courier {
  /** Begins to deliver what waits. */
  start(): void;
  /** Delivers no more, and waits at most `graceMs` for what is under way. */
  stop(graceMs: number): Promise<void>;
}

export interface CourierDeps extends Omit<WaitingDeps, "kindOf" | "queues" | "later"> {
  /** By the service in their ARNs; URLs under `http`. */
  readonly targets: { readonly sqs: TargetKind } & Readonly<Record<string, TargetKind>>;
}

export function createCourier({ targets, ...base }: CourierDeps): CourierService {
  const kindOf = (arn: string): TargetKind | undefined => targets[serviceOf(arn)];
  const deps: WaitingDeps = {
    ...base,
    queues: targets.sqs,
    kindOf,
    later: (tx, parcel) => waiting.put(tx, parcel),
  };
  const waiting = new Waiting(deps);
  return {
    async fault(target, sender) {
      const kind = kindOf(target.arn);
      if (!kind) return unsupported(target);
      return kind.fault(target, sender);
    },
    hand: (tx, parcel) => hand(deps, waiting, tx, parcel),
    refuse: (tx, parcel, failure) => bury(deps, tx, parcel, { failure, retries: 0, condition: "refused" }),
    start: () => waiting.start(),
    stop: (graceMs) => waiting.stop(graceMs),
  };
}

async function hand(deps: WaitingDeps, waiting: Waiting, tx: Transaction, parcel: Parcel): Promise<Handed> {
  const { target, sender } = parcel;
  const kind = deps.kindOf(target.arn);
  // What a role may do is more than a transaction may read.
  if (kind && (target.roleArn !== undefined || !kind.put)) {
    await waiting.put(tx, parcel);
    return "waiting";
  }
  tx.afterCommit(() => {
    const now = deps.clock.now();
    count(deps.metrics, parcel, "attempt");
    time(deps.metrics, parcel, "started", now);
    time(deps.metrics, parcel, "completed", now);
  });
  const failure = kind ? await kind.fault(target, sender, tx) : unsupported(target);
  const outcome = failure
    ? ({ kind: "refused", failure } as const)
    : await kind?.put?.(tx, asAttempt(parcel, 0));
  if (outcome?.kind === "refused") {
    await bury(deps, tx, parcel, { failure: outcome.failure, retries: 0, condition: "refused" });
    return "refused";
  }
  if (outcome?.kind === "later") {
    const now = deps.clock.now();
    const next = nextAttempt(parcel.retry, { retries: 0, since: now, now, random: deps.ids.random() });
    if (typeof next === "string") {
      await bury(deps, tx, parcel, { failure: outcome.failure, retries: 0, condition: next });
      return "refused";
    }
    await waiting.put(tx, parcel, 1, Math.max(next, outcome.notBefore ?? 0));
    tx.afterCommit(() => count(deps.metrics, parcel, "retried"));
    return "waiting";
  }
  tx.afterCommit(() => {
    count(deps.metrics, parcel, "delivered");
    time(deps.metrics, parcel, "delivered", deps.clock.now());
  });
  return "delivered";
}

const API_DESTINATION = /^arn:aws:events:[^:]*:[^:]*:api-destination\//;

/** `sqs` of an ARN, `http` of an http(s) URL; `api-destination` for those of EventBridge. */
function serviceOf(arn: string): string {
  if (/^https?:\/\//.test(arn)) return "http";
  if (API_DESTINATION.test(arn)) return "api-destination";
  return arn.split(":")[2] ?? "";
}

/** Services that AWS delivers to, and this server does not have, by their ARNs. */
const MISSING: Readonly<Record<string, string>> = {
  firehose: "Amazon Data Firehose",
  states: "AWS Step Functions",
  ecs: "Amazon ECS",
  batch: "AWS Batch",
  codebuild: "AWS CodeBuild",
  codepipeline: "AWS CodePipeline",
  ssm: "AWS Systems Manager",
  "redshift-data": "Amazon Redshift",
  sagemaker: "Amazon SageMaker",
};

function unsupported({ arn }: TargetRef): Failure {
  const service = serviceOf(arn);
  return {
    code: "unsupported",
    message: `this server has no ${MISSING[service] ?? `target of the service '${service}'`}`,
  };
}
