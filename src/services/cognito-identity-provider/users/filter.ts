/** The filter of ListUsers: one attribute that equals a value, or begins with it. */
import { invalidParameter } from "../errors.ts";
import type { User } from "./user.ts";

const FILTER = /^\s*([\w:]+)\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/s;
/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html */
const SEARCHABLE = new Set([
  "username",
  "email",
  "phone_number",
  "name",
  "given_name",
  "family_name",
  "preferred_username",
  "cognito:user_status",
  "status",
  "sub",
]);

/** @throws AwsError for a filter that cannot be read, or of an attribute that cannot be searched by */
export function readFilter(text: string | undefined): (user: User) => boolean {
  if (text === undefined || text.trim() === "") return () => true;
  const [, name = "", operator, quoted = ""] = FILTER.exec(text) ?? [];
  if (name === "") throw invalidParameter("Error while parsing filter.");
  if (!SEARCHABLE.has(name)) throw invalidParameter(`Invalid search attribute: ${name}`);
  const wanted = quoted.replace(/\\(.)/gs, "$1");
  // Of these two AWS compares case; of all others it does not.
  const isExact = name === "username" || name === "sub";
  const comparable = (value: string) => (isExact ? value : value.toLowerCase());
  const sought = comparable(wanted);
  return (user) => {
    const value = valueOf(user, name);
    if (value === undefined) return false;
    return operator === "=" ? comparable(value) === sought : comparable(value).startsWith(sought);
  };
}

function valueOf({ username, sub, status, enabled, attributes }: User, name: string): string | undefined {
  if (name === "username") return username;
  if (name === "sub") return sub;
  if (name === "cognito:user_status") return status;
  if (name === "status") return enabled ? "Enabled" : "Disabled";
  return attributes[name];
}
