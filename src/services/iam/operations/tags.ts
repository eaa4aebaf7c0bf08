/** Tags of roles, users and customer-managed policies. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import { findPolicy, requireOwner } from "../owners.ts";
import { noSuchEntity } from "../errors.ts";
import { pageOf } from "../paging.ts";
import type { PageRequest } from "../paging.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { updatePolicy } from "../store-policies.ts";
import { toTags, withoutTags, withTags } from "../tags.ts";

type Client = typeof import("@aws-sdk/client-iam");

/** What carries tags, found by name or ARN. */
interface Tagged {
  readonly tags: string;
  write(tx: Transaction, tags: string): Promise<void>;
}
type Find = (reader: Reader) => Promise<Tagged>;

const ownerByName =
  (account: string, kind: "role" | "user", name: string | undefined): Find =>
  async (reader) => {
    const owner = await requireOwner(reader, account, kind, name);
    return { tags: owner.tags, write: (tx, tags) => owner.update(tx, { tags }) };
  };
const policyByArn =
  (account: string, arn: string | undefined): Find =>
  async (reader) => {
    const policy = await findPolicy(reader, account, arn ?? "");
    if (!policy) throw noSuchEntity(`Policy ${arn} was not found.`);
    return { tags: policy.tags, write: (tx, tags) => updatePolicy(tx, { ...policy, tags }) };
  };

export async function tagRole(
  state: IamState,
  input: Input<Client, "TagRole">,
  { account }: RequestContext,
): Promise<object> {
  return edit(state, ownerByName(account, "role", input.RoleName), (tags) => withTags(tags, input.Tags));
}

export async function tagUser(
  state: IamState,
  input: Input<Client, "TagUser">,
  { account }: RequestContext,
): Promise<object> {
  return edit(state, ownerByName(account, "user", input.UserName), (tags) => withTags(tags, input.Tags));
}

export async function tagPolicy(
  state: IamState,
  input: Input<Client, "TagPolicy">,
  { account }: RequestContext,
): Promise<object> {
  return edit(state, policyByArn(account, input.PolicyArn), (tags) => withTags(tags, input.Tags));
}

export async function untagRole(
  state: IamState,
  input: Input<Client, "UntagRole">,
  { account }: RequestContext,
): Promise<object> {
  return edit(state, ownerByName(account, "role", input.RoleName), (tags) =>
    withoutTags(tags, input.TagKeys),
  );
}

export async function untagUser(
  state: IamState,
  input: Input<Client, "UntagUser">,
  { account }: RequestContext,
): Promise<object> {
  return edit(state, ownerByName(account, "user", input.UserName), (tags) =>
    withoutTags(tags, input.TagKeys),
  );
}

export async function untagPolicy(
  state: IamState,
  input: Input<Client, "UntagPolicy">,
  { account }: RequestContext,
): Promise<object> {
  return edit(state, policyByArn(account, input.PolicyArn), (tags) => withoutTags(tags, input.TagKeys));
}

export async function listRoleTags(
  state: IamState,
  input: Input<Client, "ListRoleTags">,
  { account }: RequestContext,
): Promise<Output<Client, "ListRoleTags">> {
  return list(state, ownerByName(account, "role", input.RoleName), input);
}

export async function listUserTags(
  state: IamState,
  input: Input<Client, "ListUserTags">,
  { account }: RequestContext,
): Promise<Output<Client, "ListUserTags">> {
  return list(state, ownerByName(account, "user", input.UserName), input);
}

export async function listPolicyTags(
  state: IamState,
  input: Input<Client, "ListPolicyTags">,
  { account }: RequestContext,
): Promise<Output<Client, "ListPolicyTags">> {
  return list(state, policyByArn(account, input.PolicyArn), input);
}

async function edit(state: IamState, find: Find, changed: (tags: string) => string): Promise<object> {
  await change(state, async (tx) => {
    const tagged = await find(tx);
    await tagged.write(tx, changed(tagged.tags));
  });
  return {};
}

async function list(state: IamState, find: Find, request: PageRequest) {
  const { items, truncation } = pageOf(
    toTags((await find(state.database)).tags),
    (tag: { Key: string }) => tag.Key,
    request,
  );
  return { Tags: [...items], ...truncation };
}
