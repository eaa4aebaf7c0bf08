/** The registry's images as other services of the server read them, without HTTP. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createEcr } from "../../src/services/ecr/index.ts";
import { createIam } from "../../src/services/iam/index.ts";
import { openStore } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { blob, makeImage, pushImage, registryOf, startEcr } from "../harness/ecr.ts";

test("a manifest is read by tag and digest, and a layer as a file", async () => {
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
    port: 4566,
    policies: iam.resourcePolicies,
    credentials: { expiryOf: async () => undefined },
    buses: { put: async () => undefined },
  });
  try {
    const at = (region: string) => ecr.images.at(`000000000000.dkr.ecr.${region}.amazonaws.com`);
    const images = at("us-east-1");
    const elsewhere = at("eu-west-1");
    assert.ok(images && elsewhere);
    const { digest, bytes } = image.manifest;
    for (const reference of ["v1", digest])
      assert.deepEqual(await images.manifest(name, reference), {
        digest,
        mediaType: image.mediaType,
        bytes,
      });
    const [layer = blob("")] = image.layers;
    assert.deepEqual(await readFile((await images.file(name, layer.digest)) ?? ""), layer.bytes);
    assert.equal(await images.manifest(name, "none"), undefined);
    assert.equal(await images.file(name, digest), undefined);
    assert.equal(await elsewhere.manifest(name, "v1"), undefined);
    assert.equal(await elsewhere.file(name, layer.digest), undefined);
    assert.equal(ecr.images.at("000000000000.dkr.ecr.us-east-1.localhost:4566"), undefined);
  } finally {
    await ecr.stop();
    await iam.stop();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
