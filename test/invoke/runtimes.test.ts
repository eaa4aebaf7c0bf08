/** What this machine offers, what is refused and how, and installs that happen once. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRuntimes } from "../../src/invoke/index.ts";
import { installOnce } from "../../src/invoke/runtimes/install.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { kinds, openInvoker, runtimes } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "lambent-runtimes-"));
after(() => rm(folder, { recursive: true, force: true }));

test("every known runtime is listed, with what it is or what it lacks", async () => {
  const list = await createRuntimes({ cacheDir: join(folder, "empty"), log: createLog("error") }).list();
  const byName = new Map(list.map((each) => [each.identifier, each]));
  for (const name of ["nodejs22.x", "nodejs24.x"]) {
    const entry = byName.get(name);
    assert.deepEqual([entry?.available, entry?.installed], [true, false]);
    assert.match(entry?.detail ?? "", /^npm package node-\S+@\d+\.\d+\.\d+$/);
  }
  assert.equal(byName.get("nodejs26.x")?.version, process.versions.node);
  for (const name of ["ruby3.3", "ruby3.4", "ruby4.0", "dotnet8", "dotnet10"])
    assert.ok(byName.has(name), name);
  assert.ok(byName.has("python3.12") && byName.get("provided.al2023")?.installed);
  for (const entry of list.filter((each) => !each.available))
    assert.match(entry.detail, new RegExp(entry.identifier));
});

test("what is not there is refused by name", async () => {
  const CASES: [identifier: string, reason: RegExp][] = [
    [
      "nodejs16.x",
      /^The runtime parameter of nodejs16\.x is no longer supported for creating or updating AWS Lambda functions\./,
    ],
    ["python3.7", /^The runtime parameter of python3\.7 is no longer supported/],
    ["dotnet6", /^The runtime parameter of dotnet6 is no longer supported/],
    ["ruby2.7", /^The runtime parameter of ruby2\.7 is no longer supported/],
    ["ruby3.5", /^Lambent does not know the runtime ruby3\.5$/],
    ["cobol85", /^Lambent does not know the runtime cobol85$/],
    ["python3.99", /python3\.99/],
  ];
  for (const [identifier, reason] of CASES) {
    const found = await runtimes.find(identifier);
    assert.ok(found.status === "refused");
    assert.match(found.reason, reason);
    await assert.rejects(runtimes.install(identifier), { name: "RuntimeUnavailable", message: reason });
  }
});

test("installers of one folder build it once and see it whole", async () => {
  let builds = 0;
  const build = async (half: string) => {
    builds += 1;
    await writeFile(join(half, "a"), "1");
    await sleep(100);
    await writeFile(join(half, "b"), "2");
  };
  const folders = await Promise.all([1, 2, 3].map(() => installOnce(folder, "thing", build)));
  assert.deepEqual(new Set(folders), new Set([join(folder, "thing")]));
  assert.equal(builds, 1);
  assert.deepEqual((await readdir(join(folder, "thing"))).sort(), ["a", "b"]);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name !== "thing" && name !== "empty"),
    [],
  );
});

test("a failed build leaves nothing, and the lock of a dead installer is taken over", async () => {
  await assert.rejects(
    installOnce(folder, "bad", async (half) => {
      await writeFile(join(half, "x"), "");
      throw new Error("no network");
    }),
    /no network/,
  );
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith("bad")),
    [],
  );
  const noSuchProcess = "4194399";
  await writeFile(join(folder, "left.lock"), noSuchProcess);
  await installOnce(folder, "left", () => Promise.resolve());
  assert.ok((await readdir(folder)).includes("left"));
});

for (const kind of kinds.filter((each) => each === "runc")) {
  describe(`managed runtimes on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    after(() => bench.close());
    const listed = await runtimes.list();
    for (const { identifier, version } of listed.filter(
      (each) => each.available && /^(nodejs|python)/.test(each.identifier),
    ))
      test(`${identifier} runs in a sandbox with its SDK, TLS and nothing of the host's`, async () => {
        const isNode = identifier.startsWith("nodejs");
        const answer = await bench.call(
          await bench.fn({
            files: { "index.mjs": NODE_PROBE, "index.py": PYTHON_PROBE },
            runtime: identifier,
            handler: "index.handler",
          }),
        );
        assert.equal(answer.functionError, undefined, answer.payload.toString());
        const [real, uid, sdk, tls, home] = answer.json;
        assert.equal(real.replace(/^v/, ""), version);
        assert.deepEqual([uid, sdk, home], [993, true, false]);
        assert.match(tls, isNode ? /^\d+\.\d+/ : /^OpenSSL /);
      });
  });
}

const NODE_PROBE = `import { S3Client } from "@aws-sdk/client-s3"; import { existsSync } from "node:fs"; import "node:tls";
export const handler = async () => [process.version, process.getuid(), typeof S3Client === "function", process.versions.openssl, existsSync("/root/.pyenv")];`;
const PYTHON_PROBE = `import os, platform, ssl, sqlite3, hashlib, ctypes, boto3
def handler(e, c):
  return [platform.python_version(), os.getuid(), bool(boto3.client), ssl.OPENSSL_VERSION, os.path.exists("/root/.pyenv")]
`;
