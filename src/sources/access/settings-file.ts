/** JSON files in which an operator says what AWS would know: read at each use, so that a change needs no restart. */
import { readFile, stat } from "node:fs/promises";
import { AccessError } from "./access-error.ts";

/** Of such a file; what is larger is none. */
const fileBytesMax = 1_048_576;
/** Permissions of others than the owner. */
const OTHERS = 0o077;

/**
 * The entries of a file that holds one JSON object; none where no file was named.
 * @param options.isSecret Refuses a file that anyone but its owner may read.
 * @throws AccessError that names the file and what is wrong with it.
 */
export async function readSettingsFile(
  path: string | undefined,
  options: { readonly isSecret: boolean },
): Promise<Readonly<Record<string, unknown>>> {
  if (path === undefined) return {};
  const text = await readText(path, options.isSecret);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AccessError(`${path} is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new AccessError(`${path} holds no JSON object`);
  return value as Readonly<Record<string, unknown>>;
}

async function readText(path: string, isSecret: boolean): Promise<string> {
  try {
    const { mode, size } = await stat(path);
    if (isSecret && process.platform !== "win32" && (mode & OTHERS) !== 0)
      throw new AccessError(
        `${path} holds secrets and may be read by others than its owner: chmod 600 ${path}`,
      );
    if (size > fileBytesMax) throw new AccessError(`${path} is larger than ${fileBytesMax} bytes`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof AccessError) throw error;
    throw new AccessError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
