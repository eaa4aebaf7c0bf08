/** Which version each provisioned concurrency of a function is for: no version has more than one, on itself or through an alias. */
import type { Reader } from "../../store/database.ts";
import { conflict, invalidParameter } from "./errors.ts";
import { isVersion } from "./names.ts";
import type { FunctionId } from "./names.ts";
import { readAliases } from "./store-aliases.ts";
import type { AliasRow } from "./store-aliases.ts";
import { readProvisioned } from "./store-concurrency.ts";
import type { ProvisionedRow } from "./store-concurrency.ts";

export interface ProvisionedTarget extends ProvisionedRow {
  /** Of the version: the alias's main one, also where its weights send a part to another. */
  readonly number: number;
}

/** All of a function's, by qualifier. */
export async function provisionedTargets(reader: Reader, id: FunctionId): Promise<ProvisionedTarget[]> {
  const rows = await readProvisioned(reader, id);
  if (rows.length === 0) return [];
  const aliases = new Map((await readAliases(reader, id)).map((alias) => [alias.name, alias.number]));
  return rows.map((row) => ({
    ...row,
    number: isVersion(row.qualifier) ? Number(row.qualifier) : (aliases.get(row.qualifier) ?? 0),
  }));
}

/**
 * Whether a qualifier's provisioned concurrency may be for a version.
 * @throws InvalidParameterValueException for $LATEST; ResourceConflictException for a version that has one already.
 */
export function requireFreeVersion(
  qualifier: string,
  number: number,
  targets: readonly ProvisionedTarget[],
): void {
  if (number === 0) throw unpublished();
  if (!targets.some((target) => target.number === number && target.qualifier !== qualifier)) return;
  throw conflict(
    isVersion(qualifier)
      ? "Version is pointed by a Provisioned Concurrency alias"
      : "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  );
}

/** To be called before an alias is pointed elsewhere: what it has provisioned moves along. */
export async function requireMovable(reader: Reader, id: FunctionId, alias: AliasRow): Promise<void> {
  const targets = await provisionedTargets(reader, id);
  if (targets.some(({ qualifier }) => qualifier === alias.name))
    requireFreeVersion(alias.name, alias.number, targets);
}

export function unpublished(): Error {
  return invalidParameter(
    "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
  );
}
