/** Pools: CreateUserPool, DescribeUserPool, UpdateUserPool, DeleteUserPool, ListUserPools, AddCustomAttributes. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter, limitExceeded } from "../errors.ts";
import { POOLS_MAX } from "../limits.ts";
import { newPoolId, randomText } from "../names.ts";
import { pageOf, readToken } from "../paging.ts";
import { describePool } from "../pools/describe.ts";
import { requirePool } from "../pools/lookup.ts";
import { withCustom } from "../pools/schema.ts";
import { newSettings, updatedSettings } from "../pools/settings.ts";
import { readSms, requireSmsRole } from "../pools/sms.ts";
import { countPools, deletePool, insertPool, listPools, updatePool } from "../store/pools.ts";
import type { Pool } from "../store/pools.ts";
import { countUsers } from "../store/users.ts";
import { domainOfPool } from "../store/oauth.ts";
import { checkTags } from "./tags.ts";

const SECRET_CHARS = 43;

export async function createUserPool(
  userPools: UserPools,
  input: Input<Client, "CreateUserPool">,
  { account, region }: RequestContext,
): Promise<Output<Client, "CreateUserPool">> {
  const { clock, database } = userPools;
  const now = clock.now();
  const pool: Pool = {
    poolId: newPoolId(region),
    account,
    region,
    name: input.PoolName ?? "",
    createdAt: now,
    modifiedAt: now,
    settings: newSettings(input, region),
    tags: checkTags(input.UserPoolTags ?? {}),
    secret: randomText("abcdefghijklmnopqrstuvwxyz0123456789", SECRET_CHARS),
  };
  await requireSmsRole(userPools, pool, pool.settings.SmsConfiguration);
  await database.tx(async (tx) => {
    if ((await countPools(tx, pool)) >= POOLS_MAX)
      throw limitExceeded(`An account can have at most ${POOLS_MAX} user pools in a region.`);
    await insertPool(tx, pool);
  });
  return { UserPool: describePool(pool, { users: 0, domain: undefined }) };
}

export async function describeUserPool(
  { database }: UserPools,
  { UserPoolId }: Input<Client, "DescribeUserPool">,
  context: RequestContext,
): Promise<Output<Client, "DescribeUserPool">> {
  const pool = await requirePool(database, context, UserPoolId);
  const users = await countUsers(database, pool.poolId);
  const domain = await domainOfPool(database, pool.poolId);
  return { UserPool: describePool(pool, { users, domain }) };
}

export async function updateUserPool(
  userPools: UserPools,
  input: Input<Client, "UpdateUserPool">,
  context: RequestContext,
): Promise<object> {
  const { clock, database } = userPools;
  const before = await requirePool(database, context, input.UserPoolId);
  await requireSmsRole(userPools, before, readSms(input.SmsConfiguration, before.region));
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, input.UserPoolId);
    await updatePool(tx, {
      ...pool,
      name: input.PoolName ?? pool.name,
      modifiedAt: clock.now(),
      settings: updatedSettings(pool.settings, input, pool.region),
      tags: input.UserPoolTags ? checkTags(input.UserPoolTags) : pool.tags,
    });
  });
  return {};
}

export async function deleteUserPool(
  { database }: UserPools,
  { UserPoolId }: Input<Client, "DeleteUserPool">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, UserPoolId);
    if (pool.settings.deletionProtection === "ACTIVE")
      throw invalidParameter(
        "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.",
      );
    if ((await domainOfPool(tx, pool.poolId)) !== undefined)
      throw invalidParameter(
        "User pool cannot be deleted. It has a domain configured that should be deleted first.",
      );
    await deletePool(tx, pool.poolId);
  });
  return {};
}

export async function listUserPools(
  { database }: UserPools,
  { MaxResults = 1, NextToken }: Input<Client, "ListUserPools">,
  context: RequestContext,
): Promise<Output<Client, "ListUserPools">> {
  const pools = await listPools(database, context, readToken(NextToken), MaxResults + 1);
  const { items, token } = pageOf(pools, MaxResults, ({ poolId }) => poolId);
  return {
    UserPools: items.map(({ poolId, name, settings, createdAt, modifiedAt }) => ({
      Id: poolId,
      Name: name,
      LambdaConfig: settings.triggers,
      CreationDate: new Date(createdAt),
      LastModifiedDate: new Date(modifiedAt),
    })),
    NextToken: token,
  };
}

export async function addCustomAttributes(
  { clock, database }: UserPools,
  { UserPoolId, CustomAttributes = [] }: Input<Client, "AddCustomAttributes">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, UserPoolId);
    const schema = withCustom(pool.settings.schema, CustomAttributes);
    await updatePool(tx, { ...pool, modifiedAt: clock.now(), settings: { ...pool.settings, schema } });
  });
  return {};
}
