/** A server that is killed while it pulls an image: its successor pulls it, and nothing half done is left. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { beginImage, createImage, imagesMissing, shellImage } from "../conformance/image-setting.ts";
import { WAIT, settle } from "../conformance/lambda-setting.ts";
import { spawnServer } from "../harness/process.ts";
import { startRegistry } from "../harness/registry.ts";
import { clientOptions } from "../harness/server.ts";
import { NOTHING, instanceOf, remains } from "../harness/remains.ts";

test(
  "kill -9 while an image is pulled: the function becomes active after the restart, and one that was there runs without its registry",
  { skip: imagesMissing ?? false },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "lambent-image-crash-"));
    const flags = ["--port", "0", "--data-dir", dataDir];
    const registry = await startRegistry();
    let server = await spawnServer(flags);
    try {
      const first = await settle(server.endpoint);
      const there = await createImage(first, registry.put("team/there", "v1", shellImage(`echo 1`)));
      assert.equal((await first.invoke(there)).value, 1);

      const image = shellImage(`echo 2`, { files: { more: "x".repeat(100_000) } });
      const last = image.blobs.at(-1);
      const stalled = new Promise<void>((resolve) => {
        registry.intercept = (request, response) => {
          if (!request.url?.includes(last?.digest ?? "")) return false;
          response
            .writeHead(200, { "content-length": last?.bytes.length })
            .write(last?.bytes.subarray(0, 200));
          resolve();
          return true;
        };
      });
      const pulled = await beginImage(first, registry.put("team/pulled", "v1", image));
      await stalled;
      const { State } = await first.lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: pulled }),
      );
      assert.equal(State, "Pending");
      await server.kill();

      registry.intercept = () => false;
      registry.requests.length = 0;
      server = await spawnServer(flags);
      const client = new LambdaClient(clientOptions(server.endpoint));
      const invoke = async (FunctionName: string) =>
        (await client.send(new InvokeCommand({ FunctionName }))).Payload?.transformToString();
      await waitUntilFunctionActiveV2({ client, ...WAIT }, { FunctionName: pulled });
      assert.equal(await invoke(pulled), "2\n");
      assert.equal(await invoke(there), "1\n");
      assert.ok(!registry.requests.some((line) => line.includes("team/there")));
      const instance = instanceOf(join(dataDir, "sandboxes"));
      await server.terminate();
      assert.deepEqual(remains(dataDir, instance), NOTHING);
      const names = await readdir(join(dataDir, "images"), { recursive: true });
      assert.deepEqual(
        names.filter((name) => /staging-|half|links-/.test(name)),
        [],
      );
    } finally {
      await server.terminate();
      await registry.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  },
);
