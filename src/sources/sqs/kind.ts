/** Queues of Amazon SQS as event sources. */
import { invalidParameter } from "../errors.ts";
import type { Mapping } from "../mapping.ts";
import type { ExecutionRoles, QueueReader } from "../ports.ts";
import type { MappedFunction, SourceKind } from "../source.ts";
import { QueuePoller } from "./poller.ts";

interface Deps {
  readonly roles: ExecutionRoles;
  readonly queues: QueueReader;
}

/** What the execution role must be allowed to do, by its own policies or the queue's. */
const ACTIONS = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"] as const;

export function createQueueSource(deps: Deps): SourceKind {
  return {
    name: "Amazon SQS",
    runsOn: "owner",
    userReason: "USER_INITIATED",
    dataKey: "body",
    tellsResult: false,
    crossesAccounts: true,
    defaults: () => ({ BatchSize: 10, MaximumBatchingWindowInSeconds: 0, FunctionResponseTypes: [] }),
    sourceKey: ({ EventSourceArn = "" }) => EventSourceArn,
    validate: (mapping, target) => validate(deps, mapping, target),
    start: (mapping, context) => new QueuePoller(deps.queues, mapping, context),
  };
}

async function validate(
  { roles, queues }: Deps,
  { eventSourceArn = "", isEnabled, state }: Mapping,
  target: MappedFunction,
): Promise<void> {
  // One whose queue is gone can still be disabled.
  if (!isEnabled && state !== "Creating") return;
  const queue = await queues.describe(eventSourceArn);
  const resource = { arn: eventSourceArn, policy: queue?.policy };
  for (const action of ACTIONS)
    if (!(await roles.mayUse(target.roleArn, `sqs:${action}`, resource)))
      throw invalidParameter(missingPermission(action));
  if (!queue)
    throw invalidParameter(
      "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. " +
        "SQS Error Message: The specified queue does not exist for this wsdl version.",
    );
  if (queue.visibilityTimeoutSeconds < target.timeoutSeconds)
    throw invalidParameter(
      `Queue visibility timeout: ${queue.visibilityTimeoutSeconds} seconds is less than ` +
        `Function timeout: ${target.timeoutSeconds} seconds`,
    );
}

export function missingPermission(action: string): string {
  return `The provided execution role does not have permissions to call ${action} on SQS`;
}
