/** What attributes a user may have and who may change them. */
import { invalidParameter, notAuthorized } from "../errors.ts";
import { valueFault } from "../pools/schema.ts";
import type { PoolClient } from "../store/clients.ts";
import type { Pool } from "../store/pools.ts";
import { EMAIL, PHONE } from "./username.ts";

export type Attributes = Readonly<Record<string, string>>;

/** @throws AwsError for attributes that the schema does not have, and values that it does not take */
export function checkAttributes({ settings }: Pool, attributes: Attributes): void {
  const faults: string[] = [];
  for (const [name, value] of Object.entries(attributes)) {
    const found = settings.schema.find(({ Name }) => Name === name);
    const fault = found ? valueFault(found, value) : "Attribute does not exist in the schema.";
    if (fault !== undefined) faults.push(`${name}: ${fault}`);
  }
  refuseFaults(faults);
  const { email, phone_number: phone } = attributes;
  if (email !== undefined && !EMAIL.test(email)) throw invalidParameter("Invalid email address format.");
  if (phone !== undefined && phone !== "" && !PHONE.test(phone))
    throw invalidParameter("Invalid phone number format.");
}

/** @throws AwsError for a new user who lacks what the schema requires */
export function checkRequired({ settings }: Pool, attributes: Attributes): void {
  const missing = missingRequired(settings.schema, attributes);
  refuseFaults(missing.map((name) => `${name}: The attribute ${name} is required`));
}

/** Names of required attributes that are not there. */
export function missingRequired(
  schema: Pool["settings"]["schema"],
  attributes: Attributes,
): readonly string[] {
  return schema
    .filter(({ Name, Required }) => Required === true && Name !== "sub" && !attributes[Name])
    .map(({ Name }) => Name);
}

function refuseFaults(faults: readonly string[]): void {
  if (faults.length > 0)
    throw invalidParameter(`Attributes did not conform to the schema: ${faults.join("\n")}\n`);
}

/** @throws AwsError for a change of what never changes */
export function checkMutable({ settings }: Pool, before: Attributes, names: readonly string[]): void {
  for (const name of names) {
    const found = settings.schema.find(({ Name }) => Name === name);
    if (found?.Mutable === false && (name === "sub" || before[name] !== undefined))
      throw invalidParameter(`user.${name}: Attribute cannot be updated.`);
  }
}

/** @throws AwsError NotAuthorizedException for an attribute that the client's users may not write */
export function checkWritable({ settings }: PoolClient, names: readonly string[]): void {
  for (const name of names) if (!mayWrite(settings.WriteAttributes, name)) throw unauthorizedWrite();
}

function unauthorizedWrite() {
  return notAuthorized("A client attempted to write unauthorized attribute");
}

/** That an address is verified is told by who verifies it, and developers' attributes are theirs. */
function mayWrite(listed: readonly string[] | undefined, name: string): boolean {
  if (name === "sub" || name === "email_verified" || name === "phone_number_verified") return false;
  if (name.startsWith("dev:")) return false;
  return listed === undefined || listed.includes(name);
}

/** Whether a client's users may read an attribute. */
export function mayRead({ settings }: PoolClient, name: string): boolean {
  if (name.startsWith("dev:")) return false;
  return settings.ReadAttributes === undefined || name === "sub" || settings.ReadAttributes.includes(name);
}

/** An address that changes is not verified any more, unless the change says so. */
export function withChanges(before: Attributes, changes: Attributes): Attributes {
  const after: Record<string, string> = { ...before, ...changes };
  for (const kind of ["email", "phone_number"]) {
    const verified = `${kind}_verified`;
    if (changes[kind] !== undefined && changes[kind] !== before[kind] && changes[verified] === undefined)
      after[verified] = "false";
  }
  for (const [name, value] of Object.entries(after)) if (value === "") delete after[name];
  return after;
}
