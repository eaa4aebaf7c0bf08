/** StartMessageMoveTask, CancelMessageMoveTask and ListMessageMoveTasks. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidParameter, invalidValue, missingParameter } from "../errors.ts";
import { MOVE_RATE_MAX, MOVE_TASKS_RUNNING_MAX, MOVE_TASK_KEPT_MS } from "../limits.ts";
import { readQueueArn } from "../names.ts";
import type { Queue } from "../queues/settings.ts";
import { countMessages } from "../store/messages.ts";
import {
  cancelMoveTask,
  dropOldMoveTasks,
  getMoveTask,
  insertMoveTask,
  moveTasksOf,
  runningMoveTasks,
} from "../store/move-tasks.ts";
import type { MoveTaskRow } from "../store/move-tasks.ts";
import { deadLetterSources } from "../store/queues.ts";

const LIST_MAX = 10;

export async function startMessageMoveTask(
  sqs: Sqs,
  input: Input<Client, "StartMessageMoveTask">,
): Promise<Output<Client, "StartMessageMoveTask">> {
  const { MaxNumberOfMessagesPerSecond: rate } = input;
  if (rate !== undefined && (!Number.isInteger(rate) || rate < 1 || rate > MOVE_RATE_MAX))
    throw invalidValue(rate, "MaxNumberOfMessagesPerSecond", `Must be between 1 and ${MOVE_RATE_MAX}.`);
  const source = await queueOfArn(sqs, "SourceArn", input.SourceArn);
  const { DestinationArn } = input;
  if (DestinationArn !== undefined) {
    const destination = await queueOfArn(sqs, "DestinationArn", DestinationArn);
    if (destination.id === source.id)
      throw invalidParameter("Source queue and destination queue must not be the same.");
    if (destination.isFifo !== source.isFifo)
      throw invalidParameter("Source queue and destination queue must be of the same type.");
  }
  const { clock, database } = sqs;
  const now = clock.now();
  const { visible } = await countMessages(database, source.id, now, now - source.retentionMs);
  const task: MoveTaskRow = {
    task_id: sqs.ids.uuid(),
    source_arn: source.arn,
    destination_arn: DestinationArn ?? null,
    rate: rate ?? null,
    status: "RUNNING",
    failure: null,
    moved: 0,
    to_move: visible,
    started_at: now,
    ended_at: 0,
  };
  await database.tx(async (tx) => {
    if ((await deadLetterSources(tx, source.arn, "", 1)).length === 0)
      throw invalidParameter("Source queue must be configured as a Dead Letter Queue.");
    const running = await runningMoveTasks(tx);
    if (running.some(({ source_arn }) => source_arn === source.arn))
      throw invalidParameter(
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
      );
    const own = running.filter(({ source_arn }) => isNeighbour(source_arn, source));
    if (own.length >= MOVE_TASKS_RUNNING_MAX)
      throw new AwsError("OverLimit", `Only ${MOVE_TASKS_RUNNING_MAX} message move tasks may run at a time.`);
    await dropOldMoveTasks(tx, source.arn, now - MOVE_TASK_KEPT_MS);
    await insertMoveTask(tx, task);
    tx.afterCommit(() => sqs.moveTasks.run(task.task_id, task.rate));
  });
  return { TaskHandle: writeHandle(task) };
}

export async function cancelMessageMoveTask(
  sqs: Sqs,
  { TaskHandle }: Input<Client, "CancelMessageMoveTask">,
): Promise<Output<Client, "CancelMessageMoveTask">> {
  const handle = readTaskHandle(TaskHandle);
  if (!handle) throw invalidParameter("Value for parameter TaskHandle is invalid.");
  const { taskId, sourceArn } = handle;
  if (!(await sqs.queues.findByArn(sourceArn))) throw noSuchResource("SourceArn");
  const task = await sqs.database.tx(async (tx) => {
    const found = await getMoveTask(tx, taskId);
    if (found?.source_arn !== sourceArn)
      throw new AwsError("ResourceNotFoundException", "Task does not exist.");
    if (!(await cancelMoveTask(tx, taskId)))
      throw new AwsError("ResourceNotFoundException", "Only active tasks can be cancelled.");
    return found;
  });
  return { ApproximateNumberOfMessagesMoved: task.moved };
}

export async function listMessageMoveTasks(
  sqs: Sqs,
  { SourceArn, MaxResults = 1 }: Input<Client, "ListMessageMoveTasks">,
): Promise<Output<Client, "ListMessageMoveTasks">> {
  if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > LIST_MAX)
    throw invalidValue(MaxResults, "MaxResults", `Must be between 1 and ${LIST_MAX}.`);
  const source = await queueOfArn(sqs, "SourceArn", SourceArn);
  const tasks = await moveTasksOf(sqs.database, source.arn, MaxResults);
  return { Results: tasks.map(told) };
}

function told(task: MoveTaskRow) {
  return {
    ...(task.status === "RUNNING" && { TaskHandle: writeHandle(task) }),
    Status: task.status,
    SourceArn: task.source_arn,
    ...(task.destination_arn !== null && { DestinationArn: task.destination_arn }),
    ...(task.rate !== null && { MaxNumberOfMessagesPerSecond: task.rate }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.to_move,
    ...(task.failure !== null && { FailureReason: task.failure }),
    StartedTimestamp: task.started_at,
  };
}

/** @throws AwsError ResourceNotFoundException */
async function queueOfArn(sqs: Sqs, parameter: string, arn: string | undefined): Promise<Queue> {
  if (!arn) throw missingParameter(parameter);
  if (!readQueueArn(arn)) throw invalidValue(arn, parameter, "It is not a queue's ARN.");
  const queue = await sqs.queues.findByArn(arn);
  if (!queue) throw noSuchResource(parameter);
  return queue;
}

function noSuchResource(parameter: string): AwsError {
  return new AwsError(
    "ResourceNotFoundException",
    `The resource that you specified for the ${parameter} parameter doesn't exist.`,
  );
}

function isNeighbour(arn: string, { account, region }: Queue): boolean {
  const id = readQueueArn(arn);
  return id?.account === account && id.region === region;
}

function writeHandle({ task_id: taskId, source_arn: sourceArn }: MoveTaskRow): string {
  return Buffer.from(JSON.stringify({ taskId, sourceArn })).toString("base64");
}

/** Undefined for what is no handle. */
export function readTaskHandle(
  handle: string | undefined,
): { readonly taskId: string; readonly sourceArn: string } | undefined {
  try {
    const json = JSON.parse(Buffer.from(handle ?? "", "base64").toString()) as Record<string, unknown>;
    const { taskId, sourceArn } = json;
    return typeof taskId === "string" && typeof sourceArn === "string" ? { taskId, sourceArn } : undefined;
  } catch {
    return undefined;
  }
}
