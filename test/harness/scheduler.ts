/** A server with a clock that moves, an EventBridge Scheduler client, queues, and a role that may send to them. */
import {
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateScheduleCommand, SchedulerClient, SchedulerServiceException } from "@aws-sdk/client-scheduler";
import type { CreateScheduleCommandInput, Target } from "@aws-sdk/client-scheduler";
import type { StartInput } from "../../src/index.ts";
import type { ClientOptions } from "./server.ts";
import { startSqs } from "./sqs.ts";
import type { SqsSetting } from "./sqs.ts";

export interface SchedulerSetting extends Omit<SqsSetting, "client"> {
  readonly client: SchedulerClient;
  readonly sqs: SqsSetting["client"];
  readonly iam: IAMClient;
  /** May do everything with queues, streams and functions. */
  readonly role: string;
  /** Creates a schedule of a new name, that sends `Input` to a target; answers its name. */
  create(
    expression: string,
    target: Partial<Target>,
    more?: Partial<CreateScheduleCommandInput>,
  ): Promise<string>;
  /** What time it is for the server, epoch milliseconds. */
  now(): Promise<number>;
  advance(ms: number): Promise<void>;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

const ALL = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: ["sqs:*", "kinesis:*", "lambda:*", "sns:*", "events:*"], Resource: "*" },
  ],
});

export function trustOf(service: string | readonly string[], condition?: object): string {
  const statement = { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ ...statement, ...(condition && { Condition: condition }) }],
  });
}

/** A role that EventBridge Scheduler may assume, with a policy. */
export async function schedulerRole(options: ClientOptions, RoleName: string, policy = ALL): Promise<string> {
  const iam = new IAMClient(options);
  const AssumeRolePolicyDocument = trustOf("scheduler.amazonaws.com");
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: policy }));
  return `arn:aws:iam::000000000000:role/${RoleName}`;
}

export async function setTrust(iam: IAMClient, RoleName: string, PolicyDocument: string): Promise<void> {
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
}

/** A name and message that a request is refused with. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof SchedulerServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
  throw new Error("it was not refused");
}

let names = 0;
let roles = 0;

export async function startScheduler(config: StartInput = {}): Promise<SchedulerSetting> {
  const { client: sqs, ...setting } = await startSqs({ sandbox: "process", dev: "on", ...config });
  const options = setting.server.client();
  const client = new SchedulerClient(options);
  const role = await schedulerRole(
    options,
    `scheduler${config.databaseUrl === undefined ? "" : `-${++roles}`}`,
  );
  const clock = async (init?: RequestInit) => {
    const answer = await fetch(`${setting.server.endpoint}/_lambent/clock`, init);
    if (!answer.ok) throw new Error(await answer.text());
    return Date.parse(((await answer.json()) as { now: string }).now);
  };
  return {
    ...setting,
    client,
    sqs,
    iam: new IAMClient(options),
    role,
    async create(ScheduleExpression, target, more = {}) {
      const Name = more.Name ?? `schedule-${++names}`;
      const Target = { Arn: "", RoleArn: role, ...target };
      const FlexibleTimeWindow = { Mode: "OFF" as const };
      await client.send(
        new CreateScheduleCommand({ Name, ScheduleExpression, FlexibleTimeWindow, Target, ...more }),
      );
      return Name;
    },
    now: () => clock(),
    async advance(ms) {
      const headers = { "content-type": "application/json" };
      await clock({ method: "POST", headers, body: JSON.stringify({ advance: ms }) });
    },
  };
}

/** `at(2026-06-01T09:00:00)` of an instant, for UTC. */
export function atTime(ms: number): string {
  return `at(${new Date(ms).toISOString().slice(0, 19)})`;
}
