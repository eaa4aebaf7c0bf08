/** Assemblies of packages from NuGet, with those of the packages that they need. */
import { createHash } from "node:crypto";
import { appendFile, chmod, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import yauzl from "yauzl";
import type { Entry, Options, ZipFile } from "yauzl";
import { installOnce } from "./install.ts";

const GALLERY = "https://api.nuget.org/v3-flatcontainer";
const fetchMs = 120_000;
/** The packages that are wanted here have some hundred KB. */
const packageBytesMax = 33_554_432;
/** Packages that one may need, itself included. */
const packagesMax = 32;
/** In the cache: what each package was when it was first fetched. */
const FIRST_SEEN = "nuget-packages.txt";

export interface NugetPackage {
  readonly id: string;
  /** The exact version. */
  readonly version: string;
}

const openZip = promisify<Buffer, Options, ZipFile>(yauzl.fromBuffer);

/**
 * A folder with the assemblies of a package and of all that it needs, for .NET of a major version.
 *
 * Which bytes these have to be is not known here: NuGet's gallery is trusted, over HTTPS, never to change a published version. What was
 * fetched first is noted in the cache, and something else is refused later.
 * @throws Error that names what could not be fetched, or is another file than before.
 */
export function nugetAssemblies(
  cacheDir: string,
  wanted: NugetPackage,
  major: number,
  tell: (message: string) => void,
): Promise<string> {
  const name = `nuget-${wanted.id.toLowerCase()}-${wanted.version}-net${major}`;
  return installOnce(cacheDir, name, async (folder) => {
    tell(`fetching ${wanted.id} ${wanted.version} from NuGet`);
    const queue = [wanted];
    for (let at = 0; at < queue.length; at++) {
      const one = queue[at];
      if (one === undefined || at >= packagesMax) throw new Error(`${wanted.id} needs too many packages`);
      const zip = await openZip(await packageFile(cacheDir, one), { lazyEntries: true });
      const files = await filesOf(zip, major);
      for (const [file, bytes] of files.assemblies) {
        await writeFile(join(folder, file), bytes);
        await chmod(join(folder, file), 0o644);
      }
      for (const needed of dependenciesOf(files.nuspec, major))
        if (!queue.some(({ id }) => id.toLowerCase() === needed.id.toLowerCase())) queue.push(needed);
    }
  });
}

/** From NuGet's own folder of this user where it is, else from the gallery. */
async function packageFile(cacheDir: string, { id, version }: NugetPackage): Promise<Buffer> {
  const name = id.toLowerCase();
  const path = `${name}/${version}/${name}.${version}.nupkg`;
  const local = await readFile(join(homedir(), ".nuget/packages", path)).catch(() => undefined);
  if (local) return local;
  const url = `${GALLERY}/${path}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchMs) }).catch((error: unknown) => {
    throw new Error(`${url} could not be fetched (check that this machine reaches it)`, { cause: error });
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (bytes.length > packageBytesMax) throw new Error(`${url} has ${bytes.length} bytes`);
  await compareWithFirst(cacheDir, path, createHash("sha512").update(bytes).digest("hex"));
  return bytes;
}

async function compareWithFirst(cacheDir: string, path: string, sha512: string): Promise<void> {
  const file = join(cacheDir, FIRST_SEEN);
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  const first = lines.find((line) => line.startsWith(`${path} `))?.slice(path.length + 1);
  if (first === undefined) await appendFile(file, `${path} ${sha512}\n`);
  else if (first !== sha512)
    throw new Error(
      `${GALLERY}/${path} is not what it was when this machine first fetched it: its SHA-512 is ${sha512}, and ${file} says ${first}`,
    );
}

/** The assemblies for the best framework that the package has, and its description. */
async function filesOf(
  zip: ZipFile,
  major: number,
): Promise<{ readonly assemblies: ReadonlyMap<string, Buffer>; readonly nuspec: string }> {
  const byFramework = new Map<string, Map<string, Buffer>>();
  let nuspec = "";
  for await (const [path, bytes] of entriesOf(zip)) {
    if (/^[^/]+\.nuspec$/.test(path)) nuspec = bytes.toString("utf8");
    const [, framework, file] = /^lib\/([^/]+)\/([^/]+\.dll)$/.exec(path) ?? [];
    if (framework === undefined || file === undefined) continue;
    const files = byFramework.get(framework) ?? new Map<string, Buffer>();
    byFramework.set(framework, files.set(file, bytes));
  }
  const best = frameworksFor(major).find((framework) => byFramework.has(framework));
  return { assemblies: (best && byFramework.get(best)) || new Map(), nuspec };
}

/** Descriptions and assemblies: path → bytes. */
async function* entriesOf(zip: ZipFile): AsyncGenerator<[path: string, bytes: Buffer]> {
  const openEntry = promisify(zip.openReadStream.bind(zip)) as (
    entry: Entry,
  ) => Promise<NodeJS.ReadableStream>;
  const next = () =>
    new Promise<Entry | undefined>((resolve, reject) => {
      zip.once("entry", resolve);
      zip.once("end", () => resolve(undefined));
      zip.once("error", reject);
      zip.readEntry();
    });
  for (let entry = await next(); entry; entry = await next()) {
    if (!/\.(nuspec|dll)$/.test(entry.fileName)) continue;
    if (entry.uncompressedSize > packageBytesMax) throw new Error(`${entry.fileName} is too large`);
    yield [entry.fileName, await buffer(await openEntry(entry))];
  }
}

/** What a package's description says that it needs, in the lowest versions that will do, as NuGet takes them. */
export function dependenciesOf(nuspec: string, major: number): NugetPackage[] {
  const groups = [...nuspec.matchAll(/<group targetFramework="([^"]*)"\s*(?:\/>|>([^]*?)<\/group>)/g)].map(
    ([, framework = "", inner = ""]) => ({ framework: shortName(framework), inner }),
  );
  const best = frameworksFor(major).find((name) => groups.some(({ framework }) => framework === name));
  const inner =
    groups.find(({ framework }) => framework === best)?.inner ?? (groups.length > 0 ? "" : nuspec);
  return [...inner.matchAll(/<dependency\s[^>]*>/g)].flatMap(([element]) => {
    const id = /\bid="([\w.-]+)"/.exec(element)?.[1];
    const version = /\bversion="[[(]?([\w.-]+)/.exec(element)?.[1];
    return id === undefined || version === undefined ? [] : [{ id, version }];
  });
}

/** Frameworks whose assemblies .NET of a major version runs, best first. */
function frameworksFor(major: number): string[] {
  const versions = Array.from({ length: major - 4 }, (_, at) => `net${major - at}.0`);
  return [...versions, "netcoreapp3.1", "netstandard2.1", "netstandard2.0"];
}

/** `.NETStandard2.0` as folders have it. */
function shortName(framework: string): string {
  return framework.replace(/^\./, "").toLowerCase();
}
