/** Packages of a gallery that this file answers for: which files are taken, what is needed beside, what is refused. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, afterEach, test } from "node:test";
import { ZipFile } from "yazl";
import { dependenciesOf, nugetAssemblies } from "./nuget.ts";

const folder = await mkdtemp(join(tmpdir(), "lambent-nuget-"));
after(() => rm(folder, { recursive: true }));
// No package of this user's.
process.env["HOME"] = folder;

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

/** The gallery has these: path → bytes. */
function gallery(packages: Readonly<Record<string, Buffer>>): void {
  globalThis.fetch = (input) => {
    const path = (input as string).replace("https://api.nuget.org/v3-flatcontainer/", "");
    const bytes = packages[path];
    return Promise.resolve(new Response(bytes && new Uint8Array(bytes), { status: bytes ? 200 : 404 }));
  };
}

async function packed(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  return buffer(zip.outputStream);
}

const wanted = { id: "Some.Package", version: "1.2.3" } as const;
const PATH = "some.package/1.2.3/some.package.1.2.3.nupkg";
const nuspec = (inner: string) =>
  `<package><metadata><dependencies>${inner}</dependencies></metadata></package>`;

test("the best framework's assemblies are taken, with those of the packages that it needs, once", async () => {
  const needs = '<group targetFramework="net8.0"><dependency id="Other" version="2.0.0" /></group>';
  gallery({
    [PATH]: await packed({
      "Some.Package.nuspec": nuspec(needs),
      "lib/net6.0/Some.Package.dll": "old",
      "lib/net8.0/Some.Package.dll": "for 8",
      "lib/net10.0/Some.Package.dll": "for 10",
      "lib/net8.0/Some.Package.xml": "",
    }),
    "other/2.0.0/other.2.0.0.nupkg": await packed({
      "Other.nuspec": nuspec(""),
      "lib/netstandard2.0/Other.dll": "",
    }),
  });
  const told: string[] = [];
  const cacheDir = join(folder, "cache");
  const found = await nugetAssemblies(cacheDir, wanted, 8, (message) => told.push(message));
  assert.deepEqual((await readdir(found)).sort(), ["Other.dll", "Some.Package.dll"]);
  assert.equal(await readFile(join(found, "Some.Package.dll"), "utf8"), "for 8");
  gallery({});
  assert.equal(await nugetAssemblies(cacheDir, wanted, 8, (message) => told.push(message)), found);
  assert.deepEqual(told, ["fetching Some.Package 1.2.3 from NuGet"]);
});

test("a package that is another than before is refused, and one that is not there is named", async () => {
  const cacheDir = join(folder, "first-seen");
  const first = await packed({ "Some.Package.nuspec": nuspec(""), "lib/net8.0/Some.Package.dll": "1" });
  gallery({ [PATH]: first });
  await nugetAssemblies(cacheDir, wanted, 8, () => {});
  gallery({
    [PATH]: await packed({ "Some.Package.nuspec": nuspec(""), "lib/net8.0/Some.Package.dll": "2" }),
  });
  await assert.rejects(
    nugetAssemblies(cacheDir, wanted, 10, () => {}),
    /some\.package\.1\.2\.3\.nupkg is not what it was when this machine first fetched it: its SHA-512 is [0-9a-f]{128}/,
  );
  gallery({ [PATH]: first });
  await nugetAssemblies(cacheDir, wanted, 10, () => {});
  await assert.rejects(
    nugetAssemblies(cacheDir, { id: "None", version: "1.0.0" }, 8, () => {}),
    /^Error: https:\/\/api\.nuget\.org\/v3-flatcontainer\/none\/1\.0\.0\/none\.1\.0\.0\.nupkg answered 404$/,
  );
  globalThis.fetch = () => Promise.reject(new TypeError("fetch failed"));
  await assert.rejects(
    nugetAssemblies(cacheDir, { id: "None", version: "1.0.0" }, 8, () => {}),
    /none\.1\.0\.0\.nupkg could not be fetched \(check that this machine reaches it\)/,
  );
});

test("what a package needs is read of its description, for the version of .NET", () => {
  const nuspec = `<package><metadata><dependencies>
    <group targetFramework="net8.0"><dependency id="A" version="1.2.3" exclude="Build" /><dependency id="B" version="[2.0.0, )" /></group>
    <group targetFramework="net10.0" />
    <group targetFramework=".NETStandard2.0"><dependency id="C" version="3.0.0-beta" /></group>
  </dependencies></metadata></package>`;
  assert.deepEqual(dependenciesOf(nuspec, 8), [
    { id: "A", version: "1.2.3" },
    { id: "B", version: "2.0.0" },
  ]);
  assert.deepEqual(dependenciesOf(nuspec, 10), []);
  assert.deepEqual(dependenciesOf(nuspec, 7), [{ id: "C", version: "3.0.0-beta" }]);
  assert.deepEqual(dependenciesOf('<dependencies><dependency id="D" version="1.0"/></dependencies>', 8), [
    { id: "D", version: "1.0" },
  ]);
});
