/** State and LastUpdateStatus: what may happen while a runtime is fetched, when that fails, and when the server dies meanwhile. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { zipOf } from "../harness/zip.ts";
import { runtimes } from "../invoke/harness.ts";
import { ECHO, RUNTIME, WAIT, settle, startSetting } from "./lambda-setting.ts";

async function inTemporaryFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-test-"));
  try {
    await work(folder);
  } finally {
    // The package manager of a server that was killed may still write.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Puts the AWS SDK, which the machine has once, into a folder of runtimes, so that only Node is fetched: its fetch costs more. */
async function giveSdk(runtimesDir: string): Promise<void> {
  const { languageMounts } = await runtimes.install(RUNTIME);
  for (const { source } of languageMounts)
    if (basename(source) === "node_modules") {
      const sdk = dirname(source);
      await symlink(sdk, join(runtimesDir, basename(sdk)));
    }
}

test("while a runtime is fetched a function is Pending, and an update is in progress with the old code serving", async () => {
  await inTemporaryFolder(async (runtimesDir) => {
    await giveSdk(runtimesDir);
    const setting = await startSetting({ runtimesDir });
    try {
      const { lambda, role } = setting;
      const FunctionName = "fetched";
      const ZipFile = await zipOf({ "index.mjs": ECHO });
      await lambda.send(
        new CreateFunctionCommand({
          FunctionName,
          Runtime: RUNTIME,
          Role: role,
          Handler: "index.handler",
          Code: { ZipFile },
        }),
      );
      const pending = {
        name: "ResourceConflictException",
        message:
          "The operation cannot be performed at this time. The function is currently in the following state: Pending",
      };
      await assert.rejects(lambda.send(new InvokeCommand({ FunctionName })), pending);
      await assert.rejects(lambda.send(new PublishVersionCommand({ FunctionName })), pending);
      await waitUntilFunctionActiveV2({ client: lambda, ...WAIT }, { FunctionName });
      const value = async () => (await setting.invoke(FunctionName)).value as { greeting?: string };
      assert.equal((await value()).greeting, undefined);

      const update = (more: object) =>
        lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...more }));
      await update({ Runtime: "nodejs22.x", Environment: { Variables: { GREETING: "new" } } });
      assert.equal((await value()).greeting, undefined);
      const busy = {
        name: "ResourceConflictException",
        message: /An update is in progress for resource: arn:aws:lambda:us-east-1:\d{12}:function:fetched$/,
      };
      await assert.rejects(update({ Timeout: 5 }), busy);
      await assert.rejects(lambda.send(new PublishVersionCommand({ FunctionName })), busy);
      await setting.updated(FunctionName);
      assert.equal((await value()).greeting, "new");
    } finally {
      await setting.server.stop();
    }
  });
});

test("a runtime that cannot be fetched fails the function with the reason, and the waiter says so", async () => {
  await inTemporaryFolder(async (folder) => {
    const file = join(folder, "a-file");
    await writeFile(file, "");
    const setting = await startSetting({ runtimesDir: join(file, "below") });
    try {
      await assert.rejects(setting.create(ECHO, { FunctionName: "failed" }), /Failed|FAILURE/);
      const now = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "failed" }));
      assert.equal(now.State, "Failed");
      assert.equal(now.StateReasonCode, "InvalidRuntime");
      assert.ok((now.StateReason ?? "").length > 0);
      await assert.rejects(setting.invoke("failed"), /currently in the following state: Failed/);
    } finally {
      await setting.server.stop();
    }
  });
});

test("a function that was Pending when the server was killed becomes Active under the next one", async () => {
  await inTemporaryFolder(async (folder) => {
    const runtimesDir = join(folder, "runtimes");
    await mkdir(runtimesDir);
    await giveSdk(runtimesDir);
    const flags = ["--port", "0", "--data-dir", join(folder, "data"), "--runtimes-dir", runtimesDir];
    const first = await spawnServer(flags);
    const { lambda, role } = await settle(first.endpoint);
    const FunctionName = "interrupted";
    const created = await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: RUNTIME,
        Role: role,
        Handler: "index.handler",
        Code: { ZipFile: await zipOf({ "index.mjs": ECHO }) },
        Publish: true,
      }),
    );
    assert.equal(created.State, "Pending");
    await first.kill();
    const second = await spawnServer(flags);
    try {
      const client = new LambdaClient(clientOptions(second.endpoint));
      for (const Qualifier of ["$LATEST", "1"])
        await waitUntilFunctionActiveV2({ client, ...WAIT }, { FunctionName, Qualifier });
      const { ExecutedVersion } = await client.send(new InvokeCommand({ FunctionName, Qualifier: "1" }));
      assert.equal(ExecutedVersion, "1");
    } finally {
      await second.terminate();
    }
  });
});
