/** PutSubscriptionFilter, DescribeSubscriptionFilters and DeleteSubscriptionFilter. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { requireStandard } from "../group-class.ts";
import { newRowId } from "../ingest.ts";
import { readValuePattern, requireGroup } from "../lookup.ts";
import type { LogsState } from "../state.ts";
import type { GroupRow } from "../store.ts";
import { deleteSubscription, putSubscription, subscriptionsOf } from "../store-filters.ts";
import type { SubscriptionRow } from "../store-filters.ts";
import {
  checkDestinationArn,
  checkFunction,
  checkStream,
  senderFor,
  streamNotActive,
} from "../subscriptions/destination.ts";
import { controlMessage } from "../subscriptions/message.ts";
import { pageOf } from "./paging.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

const FILTERS_PER_GROUP_MAX = 2;
/** The control message is tried no longer than somebody may wait for it. */
const CONTROL_RETRY = { attemptsMax: 3, ageMsMax: 60_000 };

/** A stream as destination gets a control message, in the same transaction. */
export async function putSubscriptionFilter(
  state: LogsState,
  input: Input<Client, "PutSubscriptionFilter">,
  context: RequestContext,
): Promise<object> {
  refuseMembers(input);
  const arn = input.destinationArn ?? "";
  const kind = checkDestinationArn(arn, context);
  readValuePattern(input.filterPattern);
  const named = { logGroupName: input.logGroupName };
  const group = await requireGroup(state.database, context, named);
  requireStandard(group, "PutSubscriptionFilter");
  await refuseThird(state, group, input.filterName ?? "");
  if (kind === "Lambda") await checkFunction(state, arn, group);
  else await checkStream(state, arn, input.roleArn, group);
  const sender = await senderFor(state, arn, group);
  const now = state.clock.now();
  const row = {
    name: input.filterName ?? "",
    pattern: input.filterPattern ?? "",
    destination_arn: arn,
    role_arn: input.roleArn ?? null,
    distribution: input.distribution ?? "ByLogStream",
    created_at: now,
  };
  const revision = newRowId(state);
  const id = state.ids.uuid();
  await state.database.tx(async (tx) => {
    const { group_id } = await requireGroup(tx, context, named);
    refuseMore(await subscriptionsOf(tx, group_id), row.name);
    await putSubscription(tx, { ...row, group_id }, revision);
    if (kind === "Lambda") return;
    const handed = await state.courier.hand(tx, {
      id,
      target: { arn, roleArn: input.roleArn ?? "", kinesis: { partitionKey: id } },
      sender,
      body: controlMessage(now),
      retry: CONTROL_RETRY,
    });
    if (handed === "refused") throw streamNotActive();
  });
  return {};
}

export async function describeSubscriptionFilters(
  state: LogsState,
  input: Input<Client, "DescribeSubscriptionFilters">,
  context: RequestContext,
): Promise<Output<Client, "DescribeSubscriptionFilters">> {
  const group = await requireGroup(state.database, context, { logGroupName: input.logGroupName });
  const rows = (await subscriptionsOf(state.database, group.group_id)).filter((row) =>
    row.name.startsWith(input.filterNamePrefix ?? ""),
  );
  const { page, ...more } = pageOf(rows, input, (row) => row.name);
  return {
    subscriptionFilters: page.map((row) => ({
      filterName: row.name,
      logGroupName: group.name,
      filterPattern: row.pattern,
      destinationArn: row.destination_arn,
      ...(row.role_arn !== null && { roleArn: row.role_arn }),
      distribution: row.distribution,
      applyOnTransformedLogs: false,
      creationTime: row.created_at,
    })),
    ...more,
  };
}

export async function deleteSubscriptionFilter(
  state: LogsState,
  input: Input<Client, "DeleteSubscriptionFilter">,
  context: RequestContext,
): Promise<object> {
  const revision = newRowId(state);
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName: input.logGroupName });
    if (!(await deleteSubscription(tx, group.group_id, input.filterName ?? "", revision)))
      throw new AwsError("ResourceNotFoundException", "The specified subscription filter does not exist.");
  });
  return {};
}

function refuseMembers(input: Input<Client, "PutSubscriptionFilter">): void {
  if (input.applyOnTransformedLogs === true)
    throw notImplemented("applyOnTransformedLogs of PutSubscriptionFilter");
  if (input.fieldSelectionCriteria !== undefined)
    throw notImplemented("fieldSelectionCriteria of PutSubscriptionFilter");
  if (input.emitSystemFields?.length) throw notImplemented("emitSystemFields of PutSubscriptionFilter");
}

/** Before the destination is asked: too many filters are the nearer reason. */
async function refuseThird(state: LogsState, group: GroupRow, name: string): Promise<void> {
  refuseMore(await subscriptionsOf(state.database, group.group_id), name);
}

function refuseMore(rows: readonly SubscriptionRow[], name: string): void {
  if (rows.length >= FILTERS_PER_GROUP_MAX && !rows.some((row) => row.name === name))
    throw new AwsError("LimitExceededException", "Resource limit exceeded.");
}
