/** Where nothing isolates: functions run, and everything that looks says that they are not isolated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GetFunctionConfigurationCommand, InvokeCommand } from "@aws-sdk/client-lambda";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../../src/index.ts";
import { deployFunction } from "../harness/functions.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

test("the process fallback works and is announced, at start and in every function's configuration", async () => {
  const server = await start({ sandbox: "process" });
  try {
    assert.equal(server.isolation.provider, "process");
    assert.match(server.isolation.missing.join("\n"), /NOT isolated/);
    const code = "export const handler = async (event) => event.n + 1;";
    const client = await deployFunction(clientOptions(server.endpoint), "plain", { "index.mjs": code });
    const { StateReason } = await client.send(new GetFunctionConfigurationCommand({ FunctionName: "plain" }));
    assert.match(StateReason ?? "", /NOT isolated/);
    const { Payload } = await client.send(new InvokeCommand({ FunctionName: "plain", Payload: '{"n":1}' }));
    assert.equal(Buffer.from(Payload ?? []).toString(), "2");
  } finally {
    await server.stop();
  }
});

test("a function's process that outlived its killed server is ended by the next one", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-process-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  let server = await spawnServer(flags);
  try {
    const files = { "index.mjs": "export const handler = async () => process.pid;" };
    const client = await deployFunction(clientOptions(server.endpoint), "lingering", files);
    const { Payload } = await client.send(new InvokeCommand({ FunctionName: "lingering" }));
    const pid = Number(Buffer.from(Payload ?? []).toString());
    await sleep(1_500); // frozen by now, so it cannot notice that its server is gone
    await server.kill();
    assert.ok(process.kill(pid, 0), "it runs on; otherwise this test would show nothing");
    server = await spawnServer(flags);
    for (let tries = 0; isAlive(pid); tries++) {
      assert.ok(tries < 100, `process ${pid} is still there`);
      await sleep(50);
    }
  } finally {
    await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
