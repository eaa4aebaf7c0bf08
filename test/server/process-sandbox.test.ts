/** Where nothing isolates: functions run, and everything that looks says that they are not isolated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GetFunctionConfigurationCommand, InvokeCommand } from "@aws-sdk/client-lambda";
import { start } from "../../src/index.ts";
import { deployFunction } from "../harness/functions.ts";
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
