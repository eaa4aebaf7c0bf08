/** PutPermission and RemovePermission: a bus's policy, whole or by its statements. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, RequestContext } from "../../../aws/service.ts";
import type { Client, EventBridge } from "../deps.ts";
import { invalidParameter, notFound, validation } from "../errors.ts";
import { POLICY_BYTES_MAX } from "../limits.ts";
import { busArn, busOf } from "../names.ts";
import type { BusId } from "../names.ts";
import { requireBus } from "../rules/buses.ts";
import { updateBus } from "../store/buses.ts";

interface Document {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

interface Statement {
  readonly Sid?: string;
}

const ACCOUNT = /^\d{12}$/;

export async function putPermission(
  eventBridge: EventBridge,
  input: Input<Client, "PutPermission">,
  context: RequestContext,
): Promise<object> {
  const id = busOf(input.EventBusName, context);
  if (input.Policy !== undefined) {
    if (input.StatementId ?? input.Action ?? input.Principal ?? input.Condition)
      throw validation("Policy cannot be combined with Action, Principal, StatementId or Condition.");
    const policy = checkPolicy(eventBridge, input.Policy);
    await requirePrincipals(eventBridge, policy, context.account);
    await change(eventBridge, id, () => policy);
    return {};
  }
  const statement = statementOf(input, id);
  await change(eventBridge, id, (policy) => {
    const document = read(policy);
    const others = document.Statement.filter(({ Sid }) => Sid !== statement.Sid);
    return checkPolicy(eventBridge, JSON.stringify({ ...document, Statement: [...others, statement] }));
  });
  return {};
}

/** @throws AwsError ValidationException */
function statementOf(input: Input<Client, "PutPermission">, bus: BusId) {
  const { Action, Principal, StatementId, Condition } = input;
  if (Action === undefined) throw invalidParameter("Action", "Action is a required argument.");
  if (Principal === undefined) throw invalidParameter("Principal", "Principal is a required argument.");
  if (StatementId === undefined) throw invalidParameter("StatementId", "StatementId is a required argument.");
  if (Action !== "events:PutEvents")
    throw invalidParameter("Action", `Provided value ${Action} is not in correct format.`);
  if (Principal !== "*" && !ACCOUNT.test(Principal)) throw invalidParameter("Principal");
  if (Condition && (Condition.Type !== "StringEquals" || Condition.Key !== "aws:PrincipalOrgID"))
    throw invalidParameter("Condition", "It must have the Type StringEquals and the Key aws:PrincipalOrgID.");
  return {
    Sid: StatementId,
    Effect: "Allow",
    Principal: Principal === "*" ? "*" : { AWS: `arn:aws:iam::${Principal}:root` },
    Action,
    Resource: busArn(bus),
    ...(Condition && { Condition: { [Condition.Type ?? ""]: { [Condition.Key ?? ""]: Condition.Value } } }),
  };
}

export async function removePermission(
  eventBridge: EventBridge,
  input: Input<Client, "RemovePermission">,
  context: RequestContext,
): Promise<object> {
  const { StatementId, RemoveAllPermissions: isAll = false } = input;
  const id = busOf(input.EventBusName, context);
  if (StatementId === undefined && !isAll)
    throw invalidParameter("StatementId", "StatementId is a required argument.");
  await change(eventBridge, id, (policy) => {
    if (isAll) return "";
    const document = read(policy);
    const kept = document.Statement.filter(({ Sid }) => Sid !== StatementId);
    if (kept.length === document.Statement.length) throw notFound("Statement with the provided id");
    return kept.length === 0 ? "" : JSON.stringify({ ...document, Statement: kept });
  });
  return {};
}

async function change(
  { database, buses, clock }: EventBridge,
  id: BusId,
  to: (policy: string) => string,
): Promise<void> {
  await database.tx(async (tx) => {
    const bus = await requireBus(tx, id, clock.now());
    await updateBus(tx, { ...bus, policy: to(bus.policy), modified_at: clock.now() });
    await buses.changed(tx, id);
  });
}

function read(policy: string): Document {
  if (policy === "") return { Version: "2012-10-17", Statement: [] };
  const document = JSON.parse(policy) as { Version?: string; Statement: Statement | Statement[] };
  return { Version: "2012-10-17", ...document, Statement: [document.Statement].flat() };
}

/** @throws AwsError ValidationException, PolicyLengthExceededException */
function checkPolicy({ policies }: EventBridge, policy: string): string {
  if (Buffer.byteLength(policy) > POLICY_BYTES_MAX)
    throw new AwsError(
      "PolicyLengthExceededException",
      `The policy is larger than ${POLICY_BYTES_MAX} bytes, which a bus's may have.`,
    );
  try {
    policies.parse(policy);
  } catch (error) {
    throw invalidParameter("Policy", (error as Error).message);
  }
  return policy;
}

/** @throws AwsError ValidationException for a user or role of the account that does not exist */
async function requirePrincipals({ policies }: EventBridge, policy: string, account: string): Promise<void> {
  const fault = await policies.principalFault(policy, account);
  if (fault !== undefined) throw invalidParameter("Policy", fault);
}
