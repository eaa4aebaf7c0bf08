/** ECR on PostgreSQL: the same pushes, lists, races and removals as on SQLite. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  BatchDeleteImageCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  ListImagesCommand,
  PutLifecyclePolicyCommand,
} from "@aws-sdk/client-ecr";
import {
  blob,
  makeImage,
  makeIndex,
  OCI_INDEX,
  pushImage,
  pushManifest,
  registryOf,
  startEcr,
} from "../harness/ecr.ts";
import type { EcrServer, Registry } from "../harness/ecr.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";

describe("ECR on PostgreSQL", { skip: postgresMissing() }, () => {
  let postgres: TestPostgres;
  let server: EcrServer;
  let registry: Registry;
  before(async () => {
    postgres = await startPostgres();
    server = await startEcr({ databaseUrl: await postgres.newDatabase() });
    registry = registryOf(server.endpoint);
  });
  after(async () => {
    await server?.stop();
    await postgres?.stop();
  });

  test("images are pushed, listed by ListImages and DescribeImages, and removed by BatchDeleteImage", async () => {
    const repositoryName = await server.repository();
    const images = [makeImage(), makeImage()];
    for (const image of images) await pushImage(registry, repositoryName, image.manifest.digest, image);
    const index = makeIndex(images);
    await pushManifest(registry, repositoryName, "v1", index, OCI_INDEX);
    const ids = async (tagStatus: "ANY" | "TAGGED" | "UNTAGGED") =>
      (await server.ecr.send(new ListImagesCommand({ repositoryName, filter: { tagStatus } }))).imageIds ??
      [];
    assert.deepEqual(await ids("TAGGED"), [{ imageDigest: index.digest, imageTag: "v1" }]);
    const children = images.map((image) => image.manifest.digest).toSorted();
    assert.deepEqual(
      (await ids("UNTAGGED")).map((one) => one.imageDigest),
      children,
    );
    assert.equal((await ids("ANY")).length, 3);
    const pulled = await registry("GET", `/v2/${repositoryName}/manifests/v1`);
    assert.deepEqual(pulled.body, index.bytes);
    const { imageDetails } = await server.ecr.send(
      new DescribeImagesCommand({ repositoryName, filter: { tagStatus: "TAGGED" } }),
    );
    assert.ok(imageDetails?.[0]?.lastRecordedPullTime);
    const imageIds = [{ imageTag: "v1" }];
    await server.ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
    assert.equal((await ids("ANY")).length, 2);
  });

  test("PutLifecyclePolicy expires images, and DeleteRepository takes the rest", async () => {
    const repositoryName = await server.repository();
    for (const tag of ["a", "b"]) await pushImage(registry, repositoryName, tag, makeImage());
    const selection = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 1 };
    const rule = { rulePriority: 1, description: "one", selection, action: { type: "expire" } };
    const lifecyclePolicyText = JSON.stringify({ rules: [rule] });
    await server.ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
    const count = async () =>
      (await server.ecr.send(new ListImagesCommand({ repositoryName }))).imageIds?.length;
    for (let attempt = 0; (await count()) !== 1; attempt++) {
      assert.ok(attempt < 200, "nothing expired");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await server.ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
    assert.equal((await registry("GET", `/v2/${repositoryName}/tags/list`)).status, 404);
  });

  test("of chunks that race for one place one is taken, and of the same layer that is pushed at once one file", async () => {
    const repositoryName = await server.repository();
    const { location = "" } = (await registry("POST", `/v2/${repositoryName}/blobs/uploads/`)).headers;
    const chunks = Array.from({ length: 5 }, () => randomBytes(1_000));
    const sent = await Promise.all(chunks.map((body) => registry("PATCH", location, { body })));
    const taken = sent.filter(({ status }) => status === 202).length;
    assert.ok(taken >= 1);
    assert.deepEqual(
      sent.map(({ status }) => status).filter((status) => status !== 202 && status !== 416),
      [],
    );
    const status = await registry("GET", location);
    assert.equal(status.headers.range, `0-${taken * 1_000 - 1}`);
    const layer = blob(randomBytes(5_000));
    const path = `/v2/${repositoryName}/blobs/uploads/?digest=${layer.digest}`;
    const pushed = await Promise.all(
      Array.from({ length: 5 }, () => registry("POST", path, { body: layer.bytes })),
    );
    assert.deepEqual(
      pushed.map((one) => one.status),
      [201, 201, 201, 201, 201],
    );
    assert.deepEqual((await registry("GET", pushed[0]?.headers.location ?? "")).body, layer.bytes);
  });
});
