/** Changes attributes, and sends the codes by which new addresses are verified. */
import type { CodeDeliveryDetailsType } from "@aws-sdk/client-cognito-identity-provider";
import type { UserPools } from "../deps.ts";
import { sendCode } from "../messages/codes.ts";
import type { MessageSource } from "../messages/message.ts";
import type { Pool } from "../store/pools.ts";
import type { Asking } from "../triggers/call.ts";
import { checkAttributes, checkMutable, withChanges } from "./attributes.ts";
import type { Attributes } from "./attributes.ts";
import { editUser } from "./edit.ts";
import type { User } from "./user.ts";
import { settleAliases } from "./username.ts";

const ADDRESSES = ["email", "phone_number"] as const;

/**
 * Changes attributes. An address that the pool wants verified first stays as it was until its code comes back.
 * @throws AwsError for what the schema does not take
 */
export async function changeAttributes(
  userPools: UserPools,
  pool: Pool,
  user: User,
  asking: Asking,
  changes: Attributes,
): Promise<CodeDeliveryDetailsType[]> {
  checkAttributes(pool, changes);
  checkMutable(pool, user.attributes, Object.keys(changes));
  const { AutoVerifiedAttributes: auto = [], UserAttributeUpdateSettings: update } = pool.settings;
  const isVerifiedFirst = (name: string) =>
    (update?.AttributesRequireVerificationBeforeUpdate ?? []).some((one) => one === name);
  const asked = ADDRESSES.filter((name) => {
    const value = changes[name];
    const isNew = value !== undefined && value !== "" && value !== user.attributes[name];
    const isSaid = changes[`${name}_verified`] === "true";
    return isNew && !isSaid && (auto.includes(name) || isVerifiedFirst(name));
  });
  const waiting: readonly string[] = asked.filter(isVerifiedFirst);
  const now = Object.fromEntries(Object.entries(changes).filter(([name]) => !waiting.includes(name)));
  const changed = await userPools.database.tx(async (tx) => {
    const after = await editUser(tx, user, (current) => ({
      ...current,
      attributes: withChanges(current.attributes, now),
      modifiedAt: userPools.clock.now(),
    }));
    await settleAliases(tx, pool, after);
    return after;
  });
  const deliveries: CodeDeliveryDetailsType[] = [];
  const source: MessageSource = "CustomMessage_UpdateUserAttribute";
  for (const attribute of asked) {
    const to = { attribute, value: changes[attribute] ?? "" };
    const request = { purpose: `verify:${attribute}` as const, source, to };
    deliveries.push(await sendCode(userPools, pool, changed, asking, request));
  }
  return deliveries;
}

/** Takes attributes away. */
export async function removeAttributes(
  userPools: UserPools,
  pool: Pool,
  user: User,
  names: readonly string[],
): Promise<void> {
  checkAttributes(pool, {});
  checkMutable(pool, user.attributes, names);
  await userPools.database.tx(async (tx) => {
    const changed = await editUser(tx, user, (current) => ({
      ...current,
      attributes: without(current.attributes, names),
      modifiedAt: userPools.clock.now(),
    }));
    await settleAliases(tx, pool, changed);
  });
}

function without(attributes: Attributes, names: readonly string[]): Attributes {
  const gone = new Set(names.flatMap((name) => [name, `${name}_verified`]));
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !gone.has(name)));
}
