/** AddPermission and RemovePermission: statements of the queue's policy, by their labels. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidParameter, invalidValue, missingParameter } from "../errors.ts";
import { PERMISSION_ACCOUNTS_MAX, PERMISSION_ACTIONS_MAX } from "../limits.ts";
import { checkPolicy } from "../queues/attributes.ts";
import { changeAttributes } from "./queue-attributes.ts";

const LABEL = /^[A-Za-z0-9_-]{1,80}$/;
const ACCOUNT = /^\d{12}$/;
/** Those that AddPermission gives; by a policy of its own a queue may give more. */
const ACTIONS: ReadonlySet<string> = new Set([
  "*",
  "ChangeMessageVisibility",
  "DeleteMessage",
  "GetQueueAttributes",
  "GetQueueUrl",
  "ListDeadLetterSourceQueues",
  "PurgeQueue",
  "ReceiveMessage",
  "SendMessage",
]);

/** As AWS writes a list of one. */
function one<T>(values: readonly T[]): T | readonly T[] | undefined {
  return values.length === 1 ? values[0] : values;
}

interface Policy {
  readonly Statement?: unknown;
}

export async function addPermission(
  sqs: Sqs,
  input: Input<Client, "AddPermission">,
  { region }: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  const { Label = "", AWSAccountIds = [], Actions = [] } = input;
  checkGrant(Label, AWSAccountIds, Actions);
  const statement = {
    Sid: Label,
    Effect: "Allow",
    Principal: { AWS: one(AWSAccountIds.map((account) => `arn:aws:iam::${account}:root`)) },
    Action: one(Actions.map((action) => `SQS:${action}`)),
    Resource: queue.arn,
  };
  await changeAttributes(sqs, queue, (before) => {
    const policy = policyIn(before["Policy"], queue.arn);
    const statements = statementsOf(policy);
    if (statements.some(({ Sid }) => Sid === Label)) throw invalidValue(Label, "Label", "Already exists.");
    const Policy = JSON.stringify({ ...policy, Statement: [...statements, statement] });
    checkPolicy(Policy, sqs.policies);
    return { Policy };
  });
  return {};
}

export async function removePermission(
  sqs: Sqs,
  input: Input<Client, "RemovePermission">,
  { region }: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  const { Label } = input;
  if (!Label) throw missingParameter("Label");
  await changeAttributes(sqs, queue, (before) => {
    const policy = policyIn(before["Policy"], queue.arn);
    const statements = statementsOf(policy);
    const left = statements.filter(({ Sid }) => Sid !== Label);
    if (left.length === statements.length)
      throw invalidValue(Label, "Label", `can't find label${before["Policy"] ? " on existing policy" : ""}.`);
    return { Policy: left.length === 0 ? "" : JSON.stringify({ ...policy, Statement: left }) };
  });
  return {};
}

function checkGrant(label: string, accounts: readonly string[], actions: readonly string[]): void {
  if (label === "") throw missingParameter("Label");
  if (!LABEL.test(label))
    throw invalidValue(
      label,
      "Label",
      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    );
  if (accounts.length === 0) throw missingParameter("AWSAccountIds");
  if (actions.length === 0) throw missingParameter("Actions");
  for (const account of accounts)
    if (!ACCOUNT.test(account))
      throw invalidParameter(
        `Value [${account}] for parameter PrincipalId is invalid. Reason: Unable to verify.`,
      );
  if (accounts.length > PERMISSION_ACCOUNTS_MAX)
    throw new AwsError(
      "OverLimit",
      `${accounts.length} accounts were found, maximum allowed is ${PERMISSION_ACCOUNTS_MAX}.`,
    );
  for (const action of actions)
    if (!ACTIONS.has(action))
      throw invalidValue(
        `SQS:${action}`,
        "ActionName",
        "Only the queue owner is allowed to invoke this action.",
      );
  if (actions.length > PERMISSION_ACTIONS_MAX)
    throw new AwsError(
      "OverLimit",
      `${actions.length} Actions were found, maximum allowed is ${PERMISSION_ACTIONS_MAX}.`,
    );
}

function policyIn(text: string | undefined, arn: string): Policy {
  if (!text) return { Version: "2008-10-17", Id: `${arn}/SQSDefaultPolicy`, Statement: [] } as Policy;
  return JSON.parse(text) as Policy;
}

function statementsOf({ Statement = [] }: Policy): { Sid?: string }[] {
  return (Array.isArray(Statement) ? Statement : [Statement]) as { Sid?: string }[];
}
