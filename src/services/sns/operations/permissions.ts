/** AddPermission and RemovePermission: statements of the topic's policy, by their labels. */
import type { Input, RequestContext } from "../../../aws/service.ts";
import type { Client, Sns } from "../deps.ts";
import { invalid, refuseChange } from "../errors.ts";
import { checkPolicy, requireActions } from "../topics/policy-document.ts";
import { topicOf } from "../topics/topic.ts";
import { changeTopic } from "./topics.ts";

const ACCOUNT = /^\d{12}$/;

interface Document {
  readonly Statement: readonly { readonly Sid?: string }[];
}

export async function addPermission(
  sns: Sns,
  input: Input<Client, "AddPermission">,
  { region }: RequestContext,
): Promise<object> {
  const topic = await sns.topics.at(input.TopicArn, region);
  const { Label = "", AWSAccountId: accounts = [], ActionName: actions = [] } = input;
  if (Label === "") throw invalid("Label");
  if (accounts.length === 0 || accounts.some((account) => !ACCOUNT.test(account)))
    throw invalid("AWSAccountId");
  if (actions.length === 0) throw invalid("ActionName");
  requireActions(actions);
  const statement = {
    Sid: Label,
    Effect: "Allow",
    Principal: { AWS: single(accounts.map((account) => `arn:aws:iam::${account}:root`)) },
    Action: single(actions.map((action) => `SNS:${action}`)),
    Resource: topic.arn,
  };
  await changePolicy(sns, topic, (document) => {
    if (document.Statement.some(({ Sid }) => Sid === Label)) throw invalid("Statement already exists");
    return { ...document, Statement: [...document.Statement, statement] };
  });
  return {};
}

export async function removePermission(
  sns: Sns,
  { TopicArn, Label = "" }: Input<Client, "RemovePermission">,
  { region }: RequestContext,
): Promise<object> {
  const topic = await sns.topics.at(TopicArn, region);
  await changePolicy(sns, topic, (document) => ({
    ...document,
    Statement: document.Statement.filter(({ Sid }) => Sid !== Label),
  }));
  return {};
}

async function changePolicy(
  sns: Sns,
  topic: Parameters<typeof changeTopic>[1],
  change: (document: Document) => Document,
): Promise<void> {
  await changeTopic(sns, topic, (before) => {
    const row = { ...topic.row, attributes: JSON.stringify(before) };
    const { Statement, ...rest } = JSON.parse(topicOf(row).policy) as { Statement?: unknown };
    const statements = (Array.isArray(Statement) ? Statement : [Statement]) as Document["Statement"];
    const after = change({ ...rest, Statement: statements });
    // A policy without statements is none, and the topic's own holds again.
    const { Policy: _, ...others } = before;
    if (after.Statement.length === 0) return others;
    const Policy = JSON.stringify(after);
    checkPolicy(Policy, sns.policies, refuseChange);
    return { ...others, Policy };
  });
}

/** As AWS writes a list of one. */
function single(values: readonly string[]): string | readonly string[] | undefined {
  return values.length === 1 ? values[0] : values;
}
