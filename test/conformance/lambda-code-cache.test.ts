/** Unpacked code as a cache: bounded, unpacked again on demand, whole whenever the server is killed. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { zipOf } from "../harness/zip.ts";
import { settle, startSetting } from "./lambda-setting.ts";

const FILE_BYTES = 100_000;
/** Two and a half functions. */
const CACHE_BYTES = 250_000;
const FUNCTIONS = 6;
/** Fewer than functions: environments come and go, and their code with them. */
const ENVIRONMENTS = 2;

/** A function that answers what its file holds, read at every invocation. */
const codeOf = (n: number) =>
  zipOf({
    "index.mjs": `import { readFileSync } from "node:fs";
      export const handler = async () => { const text = readFileSync(new URL("data", import.meta.url), "latin1"); return [text.length, text[0], text.at(-1)]; };`,
    data: String(n).repeat(FILE_BYTES),
  });

/** Bytes of the unpacked code of each content. */
async function unpacked(dataDir: string): Promise<number[]> {
  const folder = join(dataDir, "code");
  const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
  return Promise.all(names.map(async (name) => (await stat(join(folder, name, "data"))).size));
}

async function settles(dataDir: string, most: number): Promise<void> {
  for (let tries = 0; tries < 200 && (await unpacked(dataDir)).length > most; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const found = await unpacked(dataDir);
  assert.ok(found.length <= most, `${found.length} folders`);
  assert.ok(found.every((bytes) => bytes === FILE_BYTES));
}

test("unpacked code is kept within its bound while functions take turns, and each runs its own", async (t) => {
  const setting = await startSetting({ codeCacheBytes: CACHE_BYTES, environmentsMax: ENVIRONMENTS });
  t.after(() => setting.server.stop());
  const names: string[] = [];
  for (let n = 0; n < FUNCTIONS; n++)
    names.push(await setting.create("", { Code: { ZipFile: await codeOf(n) } }));
  await settles(setting.server.dataDir, 2);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < 30; i = next++) {
      const n = (i * 5) % FUNCTIONS;
      const { value, error } = await setting.invoke(names[n] ?? "");
      assert.equal(error, undefined, JSON.stringify(value));
      assert.deepEqual(value, [FILE_BYTES, String(n), String(n)]);
    }
  };
  await Promise.all(Array.from({ length: ENVIRONMENTS }, worker));
  // Those in use, and those that are kept beside them.
  await settles(setting.server.dataDir, ENVIRONMENTS + 2);
});

test("a server that is killed while code comes and goes leaves whole code, or none", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process", "--log-level", "error"];
  const start = () =>
    spawnServer([
      ...flags,
      "--code-cache-bytes",
      String(CACHE_BYTES),
      "--environments-max",
      String(ENVIRONMENTS),
    ]);
  let server = await start();
  t.after(() => server.kill());
  const setting = await settle(server.endpoint);
  const invoke = async (FunctionName: string) => {
    const client = new LambdaClient(clientOptions(server.endpoint));
    const { Payload } = await client.send(new InvokeCommand({ FunctionName }));
    return JSON.parse(Payload?.transformToString() ?? "") as unknown;
  };
  const names: string[] = [];
  for (let n = 0; n < FUNCTIONS; n++)
    names.push(await setting.create("", { Code: { ZipFile: await codeOf(n) } }));
  for (let round = 0; round < 3; round++) {
    const running = names.map((name) => invoke(name).catch(() => {}));
    await Promise.race(running);
    await server.kill();
    await Promise.all(running);
    server = await start();
    assert.deepEqual(
      (await readdir(join(dataDir, "code"))).filter((name) => name.startsWith(".staging")),
      [],
    );
  }
  for (const [n, name] of names.entries())
    assert.deepEqual(await invoke(name), [FILE_BYTES, String(n), String(n)]);
});
