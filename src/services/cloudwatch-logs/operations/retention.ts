/** PutRetentionPolicy and DeleteRetentionPolicy. */
import type { Input, RequestContext } from "../../../aws/service.ts";
import { invalidParameter, requireGroup } from "../lookup.ts";
import type { LogsState } from "../state.ts";
import { setRetention } from "../store.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export async function putRetentionPolicy(
  state: LogsState,
  input: Input<Client, "PutRetentionPolicy">,
  context: RequestContext,
): Promise<object> {
  const days = input.retentionInDays ?? 0;
  if (!RETENTION_DAYS.includes(days))
    throw invalidParameter(
      `1 validation error detected: Value '${days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${RETENTION_DAYS.join(", ")}]`,
    );
  await change(state, context, input.logGroupName, days);
  return {};
}

export async function deleteRetentionPolicy(
  state: LogsState,
  input: Input<Client, "DeleteRetentionPolicy">,
  context: RequestContext,
): Promise<object> {
  await change(state, context, input.logGroupName, null);
  return {};
}

async function change(
  state: LogsState,
  context: RequestContext,
  logGroupName: string | undefined,
  days: number | null,
): Promise<void> {
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName });
    await setRetention(tx, group.group_id, days);
  });
}
