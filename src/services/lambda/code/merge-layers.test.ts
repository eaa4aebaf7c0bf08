/** What lies on top of what at /opt, and what may not lead out of it. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { mergeLayers } from "./merge-layers.ts";

/** Path → content; what begins with `->` is a link. */
type Tree = Readonly<Record<string, string>>;

async function merge(t: TestContext, layers: readonly Tree[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "lambent-merge-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const folders: string[] = [];
  for (const [n, files] of layers.entries()) {
    const folder = join(root, `layer-${n}`);
    await mkdir(folder);
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      if (content.startsWith("->")) await symlink(content.slice(2), path);
      else await writeFile(path, content);
    }
    folders.push(folder);
  }
  const target = join(root, "opt");
  await mkdir(target);
  await mergeLayers(folders, target);
  return target;
}

const text = (folder: string, name: string) => readFile(join(folder, name), "utf8");

test("folders are joined, and of one file the last layer's is there; the layers stay as they are", async (t) => {
  const opt = await merge(t, [
    { "bin/a": "first", "bin/b": "first", "only/one": "1" },
    { "bin/b": "second", "bin/c": "second" },
    { "bin/c": "third" },
  ]);
  assert.deepEqual((await readdir(join(opt, "bin"))).sort(), ["a", "b", "c"]);
  assert.deepEqual(
    await Promise.all(["bin/a", "bin/b", "bin/c", "only/one"].map((name) => text(opt, name))),
    ["first", "second", "third", "1"],
  );
  assert.equal(await text(join(opt, "../layer-0"), "bin/b"), "first");
});

test("a file in the place of a folder, a folder in that of a file or a link, a link in that of either: the last is there", async (t) => {
  const opt = await merge(t, [
    { "folder/x": "1", file: "1", "real/x": "1", link: "->real", "deep/link": "->../file" },
    { folder: "2", "file/x": "2", "link/y": "2", deep: "2" },
    { file: "->folder" },
  ]);
  assert.equal(await text(opt, "folder"), "2");
  assert.equal(await readlink(join(opt, "file")), "folder");
  assert.deepEqual(await readdir(join(opt, "link")), ["y"], "nothing is laid through a link");
  assert.deepEqual(await readdir(join(opt, "real")), ["x"]);
  assert.equal(await text(opt, "deep"), "2");
});

test("links that lead out of the folder only together are refused", async (t) => {
  const layers = [{ "r/x": "1", "p/q/d": "->../../r" }, { out: "->p/q/d/../.." }];
  await assert.rejects(merge(t, layers), { code: "InvalidParameterValueException" });
  const opt = await merge(t, [{ "r/x": "1" }, { to: "->r/x", nowhere: "->missing" }]);
  assert.equal(await text(opt, "to"), "1");
});
