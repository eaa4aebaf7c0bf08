/** Zip files for tests. */
import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";

/** A zip of the given files; names ending in `bootstrap` are executable. */
export async function zipOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content as string), name, {
      mode: name.endsWith("bootstrap") ? 0o100755 : 0o100644,
    });
  zip.end();
  return buffer(zip.outputStream);
}
