/** What an alias may point to: one version, or two published ones of the same function by weight. */
import type { Reader } from "../../store/database.ts";
import { failedConstraint, invalidParameter } from "./errors.ts";
import { versionName } from "./catalogue.ts";
import { LATEST, functionNotFound } from "./names.ts";
import type { FunctionId } from "./names.ts";
import { readVersion } from "./store.ts";

/** `$LATEST` is 0. @throws ValidationException for anything but $LATEST and a number. */
export function versionNumber(version: string): number {
  if (version === LATEST) return 0;
  if (/^[1-9]\d{0,14}$/.test(version)) return Number(version);
  throw failedConstraint(
    version,
    "functionVersion",
    "Member must satisfy regular expression pattern: (\\$LATEST|[0-9]+)",
  );
}

/** The additional weights of an alias that points to version `number`. @throws in AWS's words. */
export function readWeights(number: number, weights: Record<string, number>): Record<string, number> {
  const entries = Object.entries(weights);
  if (entries.length > 1)
    throw invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1");
  for (const [version] of entries) {
    if (Number(version) === number)
      throw invalidParameter(
        `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
      );
    if (number === 0)
      throw invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version");
  }
  return Object.fromEntries(entries.map(([version, weight]) => [String(Number(version)), weight]));
}

/** Every version of an alias exists, and all have one execution role and one dead-letter queue. @throws in AWS's words. */
export async function requireCompatible(
  reader: Reader,
  id: FunctionId,
  number: number,
  weights: Record<string, number>,
): Promise<void> {
  const numbers = [number, ...Object.keys(weights).map(Number)];
  const roles = new Set<string>();
  const deadLetters = new Set<string | undefined>();
  for (const one of numbers) {
    const row = await readVersion(reader, id, one);
    if (!row) throw functionNotFound(id, versionName(one));
    roles.add(row.configuration.role);
    deadLetters.add(row.configuration.deadLetterArn);
  }
  if (roles.size > 1)
    throw invalidParameter(
      "Function versions in the routing configuration of an alias must have the same execution role.",
    );
  if (deadLetters.size > 1)
    throw invalidParameter(
      "Function versions in the routing configuration of an alias must have the same dead-letter queue configuration.",
    );
}
