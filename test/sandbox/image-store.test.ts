/** Images on a machine: laid out by the kernel or by hard links alike, bounded, and what is there after a restart. */
import assert from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readFile, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { randomIds } from "../../src/kit/id.ts";
import { unpackLayer } from "../../src/sandbox/image/layer-job.ts";
import { ImageStore, findInside } from "../../src/sandbox/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { buildImage, digestOf } from "../harness/image.ts";
import type { Files } from "../harness/image.ts";
import { startRegistry } from "../harness/registry.ts";
import type { TestRegistry } from "../harness/registry.ts";

const canMount = process.platform === "linux" && process.getuid?.() === 0;
if (!canMount) console.log("# SKIPPED images by overlayfs: only root may mount");
const architecture = process.arch === "arm64" ? "arm64" : "x86_64";

let registry: TestRegistry;
let home: string;
before(async () => {
  registry = await startRegistry();
  home = await mkdtemp(join(tmpdir(), "lambent-images-"));
});
after(async () => {
  await registry?.close();
  await rm(home, { recursive: true, force: true });
});

let stores = 0;
async function openStore(mayOverlay: boolean, folder = join(home, `store-${++stores}`)) {
  const store = await ImageStore.open({
    folder: join(folder, "images"),
    mountFolder: join(folder, "mounts"),
    registries: { authFile: undefined, insecure: [] },
    mayOverlay,
    ids: randomIds,
    log: createLog("error"),
  });
  return {
    store,
    folder,
    async have(uri: string) {
      const digest = await store.resolve(uri, architecture);
      return { digest, release: await store.hold(uri, digest), root: store.root(digest) };
    },
    /** As the sandbox provider does when the server stops or starts. */
    async close() {
      await store.close();
      for (const name of await readdir(join(folder, "mounts")))
        if (mayOverlay) execFileSync("umount", ["-l", join(folder, "mounts", name)]);
    },
  };
}

/** Path → what is there, as a line; without the mount points that every root has. */
async function listing(root: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (inner: string): Promise<void> => {
    for (const name of (await readdir(join(root, inner))).toSorted()) {
      const path = join(inner, name);
      const info = await lstat(join(root, path));
      const what = info.isSymbolicLink()
        ? await readlink(join(root, path))
        : info.isDirectory()
          ? "folder"
          : await readFile(join(root, path), "utf8");
      found.push(`${path} ${(info.mode & 0o7777).toString(8)} ${info.uid} ${what}`);
      if (info.isDirectory()) await walk(path);
    }
  };
  await walk("");
  return found.filter((line) => !/^(proc|dev|sys|tmp|run|etc)\b/.test(line));
}

const LAYERS: readonly Files[] = [
  {
    "a/": { folder: true, mode: 0o750 },
    "a/kept": "1",
    "a/gone": "1",
    "a/deep/": { folder: true },
    "a/deep/gone": "1",
    "b/": { folder: true },
    "b/old": "1",
    c: { link: "a" },
    d: "file",
    "e/": { folder: true },
    "e/x": "1",
    owned: { file: "1", uid: 1_234, mode: 0o4755 },
  },
  {
    "a/.wh.gone": "",
    "a/deep/.wh..wh..opq": "",
    "b/.wh..wh..opq": "",
    "b/new": "2",
    ".wh.nothing": "",
    "c/": { folder: true },
    "c/real": "2",
    ".wh.d": "",
    e: "now a file",
  },
  {
    "a/": { folder: true, mode: 0o750 },
    "a/gone": "back",
    "d/": { folder: true },
    "d/inner": "3",
    h: { hardLink: "d/inner" },
    ".wh.e": "",
  },
];

test(
  "a root by overlayfs and one by hard links hold the same, whiteouts and owners included",
  { skip: !canMount },
  async () => {
    const uri = registry.put("roots", "v1", buildImage({ layers: LAYERS.map((files) => ({ files })) }));
    const [mounted, linked] = [await openStore(true), await openStore(false)];
    const one = await mounted.have(uri);
    const other = await linked.have(uri);
    const found = await listing(one.root);
    assert.deepEqual(found, await listing(other.root));
    assert.deepEqual(found, [
      "a 750 0 folder",
      "a/deep 755 0 folder",
      "a/gone 644 0 back",
      "a/kept 644 0 1",
      "b 755 0 folder",
      "b/new 644 0 2",
      "c 755 0 folder",
      "c/real 644 0 2",
      "d 755 0 folder",
      "d/inner 644 0 3",
      "h 644 0 3",
      "owned 4755 1234 1",
    ]);
    assert.match(await readFile("/proc/self/mountinfo", "utf8"), new RegExp(`${one.root} ro,nosuid,nodev`));
    for (const each of [mounted, linked]) await each.close();
  },
);

test("a layer that takes away all below it leaves nothing of that", async () => {
  const layers = [{ files: { old: "1", "a/old": "1" } }, { files: { ".wh..wh..opq": "", new: "2" } }];
  const uri = registry.put("roots", "opaque", buildImage({ layers }));
  for (const mayOverlay of canMount ? [true, false] : [false]) {
    const here = await openStore(mayOverlay);
    assert.deepEqual(await listing((await here.have(uri)).root), ["new 644 0 2"]);
    await here.close();
  }
});

test(
  "layers that were unpacked where nothing can be mounted are mounted once that is so",
  { skip: !canMount },
  async () => {
    const uri = registry.put("roots", "v2", buildImage({ layers: LAYERS.map((files) => ({ files })) }));
    const first = await openStore(false);
    const before = await first.have(uri);
    const expected = await listing(before.root);
    await first.close();
    const second = await openStore(true, first.folder);
    registry.requests.length = 0;
    const after = await second.have(uri);
    assert.ok(!registry.requests.some((line) => line.includes("/blobs/")));
    assert.deepEqual(await listing(after.root), expected);
    await second.close();
  },
);

test("127 layers are mounted, whatever their folders are called", { skip: !canMount }, async () => {
  const layers = Array.from({ length: 127 }, (_, at) => ({
    files: { [`file-${at}`]: `${at}`, last: `${at}` },
  }));
  const here = await openStore(true, join(home, `a long name, with \\ and : ${"x".repeat(100)}`));
  const { root } = await here.have(registry.put("roots", "many", buildImage({ layers })));
  assert.equal(await readFile(join(root, "last"), "utf8"), "126");
  assert.equal(await readFile(join(root, "file-0"), "utf8"), "0");
  await here.close();
});

test("an image stays while somebody holds it, and goes with the last; half of one goes when the store is opened", async () => {
  const here = await openStore(canMount);
  const uri = registry.put("held", "v1", buildImage({ layers: [{ files: { x: "held" } }] }));
  const { digest, release, root } = await here.have(uri);
  await here.store.remove(digest);
  assert.equal(await readFile(join(root, "x"), "utf8"), "held");
  release();
  release();
  const layers = join(here.folder, "images", "layers");
  for (let tries = 0; tries < 100 && (await readdir(layers)).length > 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await readdir(layers), []);
  await here.close();

  await mkdir(join(layers, ".staging-x/fs"), { recursive: true });
  await mkdir(join(layers, "a".repeat(64), "fs"), { recursive: true });
  await writeFile(join(here.folder, "images", "images", `${"b".repeat(64)}.json`), "{");
  const again = await openStore(canMount, here.folder);
  assert.deepEqual(await readdir(layers), []);
  assert.deepEqual(await readdir(join(here.folder, "images", "images")), []);
  await again.close();
});

test("after a loss of power only what was synced to disk is believed; the rest is pulled again", async () => {
  const here = await openStore(canMount);
  const uri = registry.put("power", "v1", buildImage({ layers: [{ files: { x: "power" } }] }));
  const { digest, release } = await here.have(uri);
  const record = join(here.folder, "images", "images", `${digest.slice(7)}.json`);
  const read = async () => JSON.parse(await readFile(record, "utf8")) as { isSynced: boolean };
  for (let tries = 0; tries < 500 && !(await read()).isSynced; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await read()).isSynced, true);
  release();
  await here.close();
  for (const isSynced of [true, false]) {
    await writeFile(record, JSON.stringify({ ...(await read()), isSynced }));
    await writeFile(join(here.folder, "images", ".boot"), "another boot");
    registry.requests.length = 0;
    const again = await openStore(canMount, here.folder);
    const held = await again.have(uri);
    assert.equal(
      registry.requests.some((line) => line.includes("/blobs/")),
      !isSynced,
    );
    await again.store.hold(uri, digest);
    await again.close();
    void held;
  }
});

function sourceOf(repository: string) {
  const { host } = registry;
  const access = { registry: host, origin: `http://${host}`, mayBePlain: true, login: undefined };
  return { registry: host, repository, access };
}

test("a layer that unpacks to more than its image may have left is given up while it is unpacked", async () => {
  const files: Files = { zeros: Buffer.alloc(40 * 1024 * 1024) };
  const image = buildImage({ layers: [{ files }] });
  registry.put("bomb", "v1", image);
  const layer = image.blobs[1];
  assert.ok(layer);
  const unpack = (bytes: number) => {
    const budget = new SharedArrayBuffer(8);
    new BigInt64Array(budget)[0] = BigInt(bytes);
    return unpackLayer({
      source: sourceOf("bomb"),
      layer: { digest: layer.digest, size: layer.bytes.length, packing: "gzip" },
      diffId:
        (JSON.parse(image.blobs[0]?.bytes.toString() ?? "") as { rootfs: { diff_ids: string[] } }).rootfs
          .diff_ids[0] ?? "",
      folder: join(home, `bomb-${bytes}`),
      owners: false,
      budget,
    });
  };
  await assert.rejects(unpack(1_000_000), {
    problem: "invalid",
    message: /larger, unpacked, than the 10737418240 bytes/,
  });
  const info = await lstat(join(home, "bomb-1000000", "zeros"));
  assert.ok(info.size <= 1_000_000);
  assert.ok((await unpack(50_000_000)).bytes > 40_000_000);
});

test("a layer with bytes behind its archive, or cut off, is judged by its digest", async () => {
  const archive = gzipSync("not a tar");
  registry.put("odd", "v1", {
    manifest: { bytes: Buffer.alloc(0), mediaType: "", digest: digestOf(Buffer.alloc(0)) },
    blobs: [{ bytes: archive, mediaType: "", digest: digestOf(archive) }],
  });
  const job = (size: number) =>
    unpackLayer({
      source: sourceOf("odd"),
      layer: { digest: digestOf(archive), size, packing: "gzip" },
      diffId: digestOf(Buffer.from("not a tar")),
      folder: join(home, `odd-${size}`),
      owners: false,
      budget: new SharedArrayBuffer(8),
    });
  await assert.rejects(job(archive.length - 1), { message: /larger than its manifest says/ });
  await assert.rejects(job(archive.length), { problem: "invalid" });
});

test("paths inside an image lead to nothing outside of it", async () => {
  const here = await openStore(canMount);
  const files: Files = {
    "etc/own": "own",
    up: { link: "../../../../etc" },
    absolute: { link: "/etc/own" },
    circle: { link: "circle" },
  };
  const { root } = await here.have(registry.put("paths", "v1", buildImage({ layers: [{ files }] })));
  for (const path of ["/up/own", "up/../up/own", "absolute", "../../etc/own"])
    assert.equal((await findInside(root, path))?.path, join(root, "etc/own"), path);
  for (const path of ["/up/passwd", "circle", "/etc/own/x", "/nothing"])
    assert.equal(await findInside(root, path), undefined, path);
  await here.close();
});
