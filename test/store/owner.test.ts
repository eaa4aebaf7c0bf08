/** A data directory belongs to one running server. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { openStore } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";

const HOLDER = fileURLToPath(new URL("holder.ts", import.meta.url));

async function inFolder(work: (dataDir: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-owner-"));
  try {
    await work(join(folder, "deep", "data"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function open(dataDir: string) {
  return openStore({
    dataDir,
    engine: "sqlite",
    clock: systemClock,
    ids: randomIds,
    log: createLog("error"),
  });
}

void test("A second server is refused by the first one's process id, in the same process and in another", () =>
  inFolder(async (dataDir) => {
    const store = await open(dataDir);
    await assert.rejects(
      open(dataDir),
      new RegExp(`${dataDir} is in use by another Lambent server, process ${process.pid} `),
    );
    await store.close();
    const again = await open(dataDir);
    await again.close();

    const holder = spawn(process.execPath, [HOLDER, dataDir], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    await assert.rejects(
      open(dataDir),
      new RegExp(`in use by another Lambent server, process ${holder.pid} `),
    );
    // A dead one's lock is gone with it, and what it wrote of itself does not matter.
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await (await open(dataDir)).close();
  }));

void test("A process id written by a dead server refuses nobody, even when another process has that id now", () =>
  inFolder(async (dataDir) => {
    await (await open(dataDir)).close();
    await writeFile(join(dataDir, "owner.json"), JSON.stringify({ pid: process.ppid, host: "here" }));
    await (await open(dataDir)).close();
  }));

void test("A refused opening leaves the owner's files alone", () =>
  inFolder(async (dataDir) => {
    const store = await open(dataDir);
    await store.blobs.put("x", Buffer.from("x"));
    await assert.rejects(open(dataDir));
    assert.equal((await store.blobs.readAll("x")).toString(), "x");
    await store.blobs.put("y", Buffer.from("y"));
    await assert.rejects(open(dataDir));
    await store.close();
  }));

void test("The data directory is made with everything above it, and is its owner's alone", () =>
  inFolder(async (dataDir) => {
    await (await open(dataDir)).close();
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
  }));

void test("The engine postgres without an address, or with one that nobody answers, is refused and frees the directory", () =>
  inFolder(async (dataDir) => {
    const options = {
      dataDir,
      engine: "postgres",
      clock: systemClock,
      ids: randomIds,
      log: createLog("error"),
    } as const;
    await assert.rejects(openStore(options), /needs a postgres:\/\/ address/);
    await assert.rejects(
      openStore({ ...options, postgresUrl: "postgres://nobody@127.0.0.1:1/none" }),
      /ECONNREFUSED/,
    );
    await (await open(dataDir)).close();
  }));
