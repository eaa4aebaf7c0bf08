/** One text for equal attributes or requests, however their members are ordered. */
import { createHash } from "node:crypto";
import type { Attributes } from "../values/value.ts";

/** JSON with sorted members; binary values as base64. */
export function canonicalText(value: unknown): string {
  if (value instanceof Uint8Array) return `"base64:${Buffer.from(value).toString("base64")}"`;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(",")}}`;
}

/** A digest of {@link canonicalText}. */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(canonicalText(value)).digest("hex");
}

/** Whether two of the keys are the same. */
export function hasDuplicates(keys: readonly Attributes[]): boolean {
  return new Set(keys.map(canonicalText)).size < keys.length;
}
