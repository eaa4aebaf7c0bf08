/** Where messages to a user go. */
import type { Destination } from "../messages/message.ts";
import type { Pool } from "../store/pools.ts";
import { factorsAsked } from "./factors.ts";
import type { User } from "./user.ts";

type Kind = Destination["attribute"];

/** An address of a user that they have. */
export function addressOf({ attributes }: User, attribute: Kind): Destination | undefined {
  const value = attributes[attribute];
  return value === undefined ? undefined : { attribute, value };
}

/** Where the code goes that confirms a sign-up: of two, to the phone. */
export function confirmationAddress({ settings }: Pool, user: User): Destination | undefined {
  const kinds = settings.AutoVerifiedAttributes ?? [];
  const order: readonly Kind[] = ["phone_number", "email"];
  for (const kind of order) {
    const address = kinds.includes(kind) ? addressOf(user, kind) : undefined;
    if (address) return address;
  }
  return undefined;
}

/** Where the code of a forgotten password goes: to a verified address, in the pool's order. `admin_only` for nowhere at all. */
export function recoveryAddress(pool: Pool, user: User): Destination | "admin_only" | undefined {
  const mechanisms = [...(pool.settings.AccountRecoverySetting?.RecoveryMechanisms ?? [])]
    .sort((a, b) => (a.Priority ?? 0) - (b.Priority ?? 0))
    .map(({ Name }) => Name);
  if (mechanisms.includes("admin_only")) return "admin_only";
  const order: readonly string[] =
    mechanisms.length > 0
      ? mechanisms.flatMap((name) => name ?? [])
      : ["verified_phone_number", "verified_email"];
  for (const name of order) {
    const kind: Kind = name === "verified_email" ? "email" : "phone_number";
    if (user.attributes[`${kind}_verified`] !== "true") continue;
    // Who has the phone has both factors then: AWS takes it only where no order is set.
    if (kind === "phone_number" && mechanisms.length > 0 && factorsAsked(pool, user).includes("SMS_MFA"))
      continue;
    const address = addressOf(user, kind);
    if (address) return address;
  }
  return undefined;
}

/** Whether users may recover their passwords themselves. */
export function recoversAlone({ settings }: Pick<Pool, "settings">): boolean {
  const mechanisms = settings.AccountRecoverySetting?.RecoveryMechanisms ?? [];
  return !mechanisms.some(({ Name }) => Name === "admin_only");
}
