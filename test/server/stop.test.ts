/** SIGTERM: what runs finishes, within the bound; what was accepted and has not run is there at the next start. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { deployFunction } from "../harness/functions.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const SLOW = `export const handler = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, event.ms));
  return "finished";
};`;

async function withServer(flags: string[], work: (dataDir: string, flags: string[]) => Promise<void>) {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-stop-"));
  try {
    await work(dataDir, ["--port", "0", "--data-dir", dataDir, ...flags]);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

test("an invocation that runs when SIGTERM comes is answered before the server ends with 0", () =>
  withServer([], async (_dataDir, flags) => {
    const server = await spawnServer(flags);
    const client = await deployFunction(clientOptions(server.endpoint), "slow", { "index.mjs": SLOW });
    await client.send(new InvokeCommand({ FunctionName: "slow", Payload: '{"ms":1}' }));
    const answer = client.send(new InvokeCommand({ FunctionName: "slow", Payload: '{"ms":1500}' }));
    await sleep(300);
    const ended = server.terminate();
    await sleep(200);
    const refused = await fetch(`${server.endpoint}/_lambent/ready`);
    assert.equal(refused.status, 503, "a stopping server is not ready");
    assert.equal(Buffer.from((await answer).Payload ?? []).toString(), '"finished"');
    assert.equal(await ended, 0);
  }));

test("a stop is bounded: an invocation that outlasts the grace is cut off", () =>
  withServer(["--stop-grace-ms", "500"], async (_dataDir, flags) => {
    const server = await spawnServer(flags);
    const options = clientOptions(server.endpoint);
    const client = await deployFunction(options, "endless", { "index.mjs": SLOW }, { Timeout: 60 });
    const answer = client.send(new InvokeCommand({ FunctionName: "endless", Payload: '{"ms":50000}' })).then(
      ({ FunctionError }) => FunctionError,
      (error: Error) => error.name,
    );
    await sleep(500);
    const begun = Date.now();
    assert.equal(await server.terminate(), 0);
    assert.ok(Date.now() - begun < 20_000, "the stop did not wait for the function");
    assert.notEqual(await answer, undefined, "the caller is told that the invocation failed");
  }));
