/** The registry's images as other services of the server read them, without HTTP. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createEcr } from "../../src/services/ecr/index.ts";
import { createIam } from "../../src/services/iam/index.ts";
import { openStore } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { blob, makeImage, pushImage, registryOf, startEcr } from "../harness/ecr.ts";

test("a manifest is read by tag and digest, and a layer as a stream", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-ecr-"));
  const image = makeImage();
  const server = await startEcr({ dataDir });
  const name = await server.repository();
  await pushImage(registryOf(server.endpoint), name, "v1", image);
  await server.stop();

  const base = { clock: systemClock, ids: randomIds, log: createLog("error") };
  const store = await openStore({ ...base, dataDir, engine: "sqlite" });
  const parts = { ...base, database: store.database, blobs: store.blobs };
  const iam = await createIam(parts);
  const ecr = await createEcr({
    ...parts,
    authentication: "off",
    policies: iam.resourcePolicies,
    credentials: { expiryOf: async () => undefined },
  });
  try {
    const id = { account: "000000000000", region: "us-east-1", name };
    const { digest, bytes } = image.manifest;
    for (const reference of ["v1", digest])
      assert.deepEqual(await ecr.images.manifest(id, reference), {
        digest,
        mediaType: image.mediaType,
        bytes,
      });
    const [layer = blob("")] = image.layers;
    const stored = await ecr.images.layer(id, layer.digest);
    assert.equal(stored?.bytes, layer.bytes.length);
    assert.deepEqual(stored && (await buffer(stored.content)), layer.bytes);
    assert.equal(await ecr.images.manifest(id, "none"), undefined);
    assert.equal(await ecr.images.layer(id, digest), undefined);
    const elsewhere = { ...id, region: "eu-west-1" };
    assert.equal(await ecr.images.manifest(elsewhere, "v1"), undefined);
    assert.equal(await ecr.images.layer(elsewhere, layer.digest), undefined);
  } finally {
    await ecr.stop();
    await iam.stop();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
