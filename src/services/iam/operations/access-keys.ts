/** CreateAccessKey, ListAccessKeys, UpdateAccessKey and DeleteAccessKey, of users and of an account's root. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { noSuchEntity, validationError } from "../errors.ts";
import { userOrCaller } from "../owners.ts";
import { pageOf } from "../paging.ts";
import { checkQuota } from "../quotas.ts";
import { toDate } from "../shapes.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { deleteKey, getKey, insertKey, listKeys, setKeyActive } from "../store-keys.ts";
import type { AccessKeyRow } from "../store-keys.ts";
import { newSecret, uniqueId } from "../unique-id.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function createAccessKey(
  state: IamState,
  input: Input<Client, "CreateAccessKey">,
  context: RequestContext,
): Promise<Output<Client, "CreateAccessKey">> {
  const { account } = context;
  return change(state, async (tx) => {
    const owner = await ownerOf(tx, context, input.UserName);
    checkQuota("AccessKeysPerUser", (await listKeys(tx, account, owner.id)).length + 1);
    const key: AccessKeyRow = {
      access_key_id: uniqueId("AKIA", state.ids),
      account,
      user_id: owner.id,
      secret: newSecret(),
      active: 1,
      created_at: state.clock.now(),
    };
    await insertKey(tx, key);
    return { AccessKey: { ...toMetadata(owner.name, key), SecretAccessKey: key.secret } };
  });
}

export async function listAccessKeys(
  state: IamState,
  input: Input<Client, "ListAccessKeys">,
  context: RequestContext,
): Promise<Output<Client, "ListAccessKeys">> {
  const owner = await ownerOf(state.database, context, input.UserName);
  const keys = await listKeys(state.database, context.account, owner.id);
  const { items, truncation } = pageOf(keys, (row: AccessKeyRow) => row.access_key_id, input);
  return { AccessKeyMetadata: items.map((row) => toMetadata(owner.name, row)), ...truncation };
}

export async function updateAccessKey(
  state: IamState,
  input: Input<Client, "UpdateAccessKey">,
  context: RequestContext,
): Promise<object> {
  if (input.Status !== "Active" && input.Status !== "Inactive")
    throw validationError(
      `The status of an access key can be set to Active or Inactive, not ${input.Status}`,
    );
  await change(state, async (tx) => {
    const key = await requireKey(tx, context, input.UserName, input.AccessKeyId ?? "");
    await setKeyActive(tx, key.access_key_id, input.Status === "Active");
  });
  return {};
}

export async function deleteAccessKey(
  state: IamState,
  input: Input<Client, "DeleteAccessKey">,
  context: RequestContext,
): Promise<object> {
  await change(state, async (tx) => {
    const key = await requireKey(tx, context, input.UserName, input.AccessKeyId ?? "");
    await deleteKey(tx, key.access_key_id);
  });
  return {};
}

/** The root's keys are kept under the account's number. */
async function ownerOf(
  reader: Reader,
  { principal, account }: RequestContext,
  userName: string | undefined,
): Promise<{ id: string; name: string | undefined }> {
  const user = await userOrCaller(reader, principal, userName);
  return user ? { id: user.user_id, name: user.name } : { id: account, name: undefined };
}

async function requireKey(
  reader: Reader,
  context: RequestContext,
  userName: string | undefined,
  accessKeyId: string,
): Promise<AccessKeyRow> {
  const owner = await ownerOf(reader, context, userName);
  const key = await getKey(reader, accessKeyId);
  if (!key || key.account !== context.account || key.user_id !== owner.id)
    throw noSuchEntity(`The Access Key with id ${accessKeyId} cannot be found.`);
  return key;
}

function toMetadata(userName: string | undefined, row: AccessKeyRow) {
  return {
    UserName: userName,
    AccessKeyId: row.access_key_id,
    Status: row.active === 1 ? ("Active" as const) : ("Inactive" as const),
    CreateDate: toDate(row.created_at),
  };
}
