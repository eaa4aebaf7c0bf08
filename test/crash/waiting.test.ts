/** Processes that wait for a function when the server is killed: its successor ends them, and has some of its own waiting before anybody asks. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { inspectMachine } from "../../src/sandbox/index.ts";
import { deployFunction } from "../harness/functions.ts";
import { spawnServer } from "../harness/process.ts";
import { NOTHING, instanceOf, remains } from "../harness/remains.ts";
import { clientOptions } from "../harness/server.ts";

const WAIT_MS = 60_000;
const missing =
  (await inspectMachine()).provider === "runc"
    ? false
    : "processes wait in sandboxes of a server that is root";
if (missing) console.log(`# SKIPPED processes that wait across a crash: ${missing}`);

test(
  "kill -9 with processes waiting leaves nothing once a successor has stopped",
  { skip: missing },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "lambent-waiting-"));
    const flags = ["--port", "0", "--data-dir", dataDir];
    let server = await spawnServer(flags);
    try {
      const files = { "index.mjs": "export const handler = async () => 'run'" };
      const instance = instanceOf(join(dataDir, "sandboxes"));
      await deployFunction(clientOptions(server.endpoint), "waited-for", files);
      const first = await waiting(instance);
      await server.kill();
      // The processes end by themselves when nobody can tell them anything any more.
      assert.ok(remains(dataDir, instance).mounts.length > 0, "there is something to clean up");

      server = await spawnServer(flags);
      const second = await waiting(instance);
      assert.ok(!second.some((pid) => first.includes(pid)), "the old ones are gone");
      const client = await deployFunction(clientOptions(server.endpoint), "other", files);
      const { Payload } = await client.send(new InvokeCommand({ FunctionName: "waited-for" }));
      assert.equal(Payload?.transformToString(), '"run"');
      await server.terminate();
      for (let tries = 0; tries < 100 && remains(dataDir, instance).loops.length > 0; tries++)
        await sleep(50);
      assert.deepEqual(remains(dataDir, instance), NOTHING);
      assert.deepEqual(readdirSync(join(dataDir, "sandboxes", "run")), []);
    } finally {
      await server.terminate();
      await rm(dataDir, { recursive: true, force: true });
    }
  },
);

/** Waits for processes of the server that wait for a function. */
async function waiting(instance: string): Promise<string[]> {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(50)) {
    const found = remains("no folder", instance).processes.filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes("_LAMBENT_WAITS");
      } catch {
        return false;
      }
    });
    if (found.length > 0) return found;
  }
  return assert.fail(`no process waited after ${WAIT_MS / 1_000} s`);
}
