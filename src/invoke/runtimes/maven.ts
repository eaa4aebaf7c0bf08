/** Files of Maven repositories, by what they have to be. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const CENTRAL = "https://repo1.maven.org/maven2";
const fetchMs = 120_000;

/**
 * From Maven's own folder of this user where it is, else from Maven Central.
 * @param path Below a repository's root. @param sha256 In lower-case hexadecimal.
 * @throws Error that names what could not be fetched, or is another file.
 */
export async function mavenFile(path: string, sha256: string): Promise<Buffer> {
  const local = await readFile(join(homedir(), ".m2/repository", path)).catch(() => undefined);
  if (local && digest(local) === sha256) return local;
  const response = await fetch(`${CENTRAL}/${path}`, { signal: AbortSignal.timeout(fetchMs) });
  if (!response.ok) throw new Error(`${CENTRAL}/${path} answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (digest(bytes) !== sha256)
    throw new Error(`${CENTRAL}/${path} is not what Lambent was made with: its SHA-256 is ${digest(bytes)}`);
  return bytes;
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
