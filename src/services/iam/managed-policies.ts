/**
 * The AWS-managed policies that Lambent knows, with the documents that AWS published for them by April 2026
 * (managed-policies.gen.json), read at first use. A policy is added by its name, path, default version, dates and document.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface ManagedPolicy {
  readonly name: string;
  readonly arn: string;
  readonly policyId: string;
  readonly path: string;
  /** AWS keeps older versions too; Lambent knows only the default one. */
  readonly version: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The policy document, as JSON text. */
  readonly document: string;
}

interface Entry {
  readonly path: string;
  readonly version: number;
  readonly created: string;
  readonly updated: string;
  readonly document: object;
}

let byArn: ReadonlyMap<string, ManagedPolicy> | undefined;

/** The AWS-managed policy of an ARN (`arn:aws:iam::aws:policy/…`), or undefined. */
export function managedPolicy(arn: string): ManagedPolicy | undefined {
  return arn.startsWith("arn:aws:iam::aws:policy/") ? load().get(arn) : undefined;
}

/** All of them, by name. */
export function managedPolicies(): ManagedPolicy[] {
  return [...load().values()];
}

function load(): ReadonlyMap<string, ManagedPolicy> {
  byArn ??= new Map(
    Object.entries(readEntries()).map(([name, entry]) => {
      const arn = `arn:aws:iam::aws:policy${entry.path}${name}`;
      const policy: ManagedPolicy = {
        name,
        arn,
        policyId: policyIdOf(arn),
        path: entry.path,
        version: entry.version,
        createdAt: Date.parse(entry.created),
        updatedAt: Date.parse(entry.updated),
        document: JSON.stringify(entry.document, undefined, 2),
      };
      return [arn, policy];
    }),
  );
  return byArn;
}

function readEntries(): Record<string, Entry> {
  const text = readFileSync(new URL("managed-policies.gen.json", import.meta.url), "utf8");
  return JSON.parse(text) as Record<string, Entry>;
}

/** AWS's own ids are not published with the documents; ours are stable, derived from the ARN. */
function policyIdOf(arn: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bytes = createHash("sha256").update(arn).digest().subarray(0, 17);
  return `ANPA${Array.from(bytes, (byte) => alphabet[byte & 31]).join("")}`;
}
