/** The registry across kill -9: what was accepted is there, an upload goes on where it was, and nothing is left on the disk. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { CreateRepositoryCommand, DeleteRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import { blob, loginOf, makeImage, pushBlob, pushImage, registryOf } from "../harness/ecr.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

test("CompleteLayerUpload after kill -9 in the middle of a chunk: the upload goes on from its last whole chunk", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-ecr-"));
  const flags = ["--data-dir", dataDir, "--port", "0", "--sandbox", "process"];
  const repositoryName = "app";
  const image = makeImage();
  const layer = blob(randomBytes(300_000));
  const begin = async () => {
    const running = await spawnServer(flags);
    const ecr = new ECRClient(clientOptions(running.endpoint));
    return { running, ecr, registry: registryOf(running.endpoint) };
  };
  try {
    const first = await begin();
    await first.ecr.send(new CreateRepositoryCommand({ repositoryName }));
    const login = await loginOf(first.ecr);
    await pushImage(first.registry, repositoryName, "v1", image);
    const { location = "" } = (await first.registry("POST", `/v2/${repositoryName}/blobs/uploads/`)).headers;
    const chunk = layer.bytes.subarray(0, 100_000);
    assert.equal((await first.registry("PATCH", location, { body: chunk })).headers.range, "0-99999");
    await half(first.running.endpoint, location, layer.bytes.subarray(100_000));
    await first.running.kill();
    first.ecr.destroy();

    const second = await begin();
    const pulled = await second.registry("GET", `/v2/${repositoryName}/manifests/v1`, { headers: login });
    assert.deepEqual(pulled.body, image.manifest.bytes);
    for (const one of [image.config, ...image.layers])
      assert.deepEqual(
        (await second.registry("GET", `/v2/${repositoryName}/blobs/${one.digest}`)).body,
        one.bytes,
      );
    const status = await second.registry("GET", location);
    assert.deepEqual([status.status, status.headers.range], [204, "0-99999"]);
    const rest = layer.bytes.subarray(100_000);
    const put = await second.registry("PUT", `${location}?digest=${layer.digest}`, { body: rest });
    assert.equal(put.status, 201);
    const whole = await second.registry("GET", `/v2/${repositoryName}/blobs/${layer.digest}`);
    assert.deepEqual(whole.body, layer.bytes);
    // Each layer has one file, also where two repositories have it; the parts and the half chunk have none.
    await second.ecr.send(new CreateRepositoryCommand({ repositoryName: "twin" }));
    await pushBlob(second.registry, "twin", layer);
    const files = image.layers.length + 2;
    await until(async () => (await filesOf(dataDir)) === files);
    await second.ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
    await until(async () => (await filesOf(dataDir)) === 1);
    assert.equal((await second.registry("HEAD", `/v2/twin/blobs/${layer.digest}`)).status, 200);
    assert.equal(await second.running.terminate(), 0);
    second.ecr.destroy();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** Sends half of a body and resolves once that has left; the connection then breaks with the server. */
async function half(endpoint: string, path: string, body: Buffer): Promise<void> {
  const sending = request(`${endpoint}${path}`, {
    method: "PATCH",
    headers: { "content-length": body.length },
  });
  sending.on("error", () => {});
  sending.write(body.subarray(0, body.length / 2));
  await wait(200);
}

/** How many files hold layers, or are being written. */
async function filesOf(dataDir: string): Promise<number> {
  const named = await readdir(join(dataDir, "blobs", "ecr"), { recursive: true, withFileTypes: true });
  const unfinished = await readdir(join(dataDir, "blobs-unfinished"));
  return named.filter((entry) => entry.isFile()).length + unfinished.length;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await holds()); attempt++) {
    assert.ok(attempt < 200, "it did not come to hold");
    await wait(50);
  }
}
