/** Images and layers by ECR's API alone, as tools use it that do without the registry. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  DescribeImagesCommand,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  ListImagesCommand,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  UploadLayerPartCommand,
  paginateListImages,
} from "@aws-sdk/client-ecr";
import type { ECRClient, InvalidLayerPartException } from "@aws-sdk/client-ecr";
import { OCI_IMAGE, blob, makeImage, refused, startEcr } from "../harness/ecr.ts";
import type { Blob, EcrServer, TestImage } from "../harness/ecr.ts";

const MIB = 1024 * 1024;
let server: EcrServer;
let ecr: ECRClient;

before(async () => {
  server = await startEcr();
  ecr = server.ecr;
});
after(() => server.stop());

async function begin(repositoryName: string): Promise<string> {
  const { uploadId = "", partSize } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
  assert.equal(partSize, 10 * MIB);
  return uploadId;
}

function part(repositoryName: string, uploadId: string, from: number, bytes: Uint8Array) {
  const place = { partFirstByte: from, partLastByte: from + bytes.length - 1 };
  return ecr.send(new UploadLayerPartCommand({ repositoryName, uploadId, ...place, layerPartBlob: bytes }));
}

function complete(repositoryName: string, uploadId: string, digest: string) {
  return ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] }));
}

async function upload(repositoryName: string, { bytes, digest }: Blob): Promise<void> {
  const uploadId = await begin(repositoryName);
  await part(repositoryName, uploadId, 0, bytes);
  await complete(repositoryName, uploadId, digest);
}

async function put(repositoryName: string, image: TestImage, ...tags: string[]): Promise<void> {
  for (const one of [image.config, ...image.layers]) await upload(repositoryName, one);
  for (const imageTag of tags)
    await ecr.send(
      new PutImageCommand({ repositoryName, imageTag, imageManifest: image.manifest.bytes.toString() }),
    );
}

test("InitiateLayerUpload, UploadLayerPart and CompleteLayerUpload take a layer in parts", async () => {
  const repositoryName = await server.repository();
  const layer = blob(randomBytes(5 * MIB + 100));
  const uploadId = await begin(repositoryName);
  const first = await part(repositoryName, uploadId, 0, layer.bytes.subarray(0, 5 * MIB));
  assert.equal(first.lastByteReceived, 5 * MIB - 1);
  const wrong = (await refused(
    part(repositoryName, uploadId, 10, Buffer.alloc(10)),
    "InvalidLayerPartException",
  )) as InvalidLayerPartException;
  assert.deepEqual(
    [wrong.lastValidByteReceived, wrong.uploadId, wrong.repositoryName, wrong.registryId],
    [5 * MIB - 1, uploadId, repositoryName, "000000000000"],
  );
  await refused(
    ecr.send(
      new UploadLayerPartCommand({
        repositoryName,
        uploadId,
        partFirstByte: 5 * MIB,
        partLastByte: 5 * MIB + 5,
        layerPartBlob: Buffer.alloc(100),
      }),
    ),
    "InvalidParameterException",
    /partLastByte/,
  );
  await part(repositoryName, uploadId, 5 * MIB, layer.bytes.subarray(5 * MIB));
  await refused(complete(repositoryName, uploadId, blob("x").digest), "InvalidLayerException");
  const done = await complete(repositoryName, uploadId, layer.digest);
  assert.equal(done.layerDigest, layer.digest);
  await refused(complete(repositoryName, uploadId, layer.digest), "LayerAlreadyExistsException");
  await refused(part(repositoryName, uploadId, 0, Buffer.alloc(1)), "UploadNotFoundException");

  const small = await begin(repositoryName);
  await refused(complete(repositoryName, small, blob("ab").digest), "EmptyUploadException");
  await part(repositoryName, small, 0, Buffer.from("a"));
  await part(repositoryName, small, 1, Buffer.from("b"));
  await refused(complete(repositoryName, small, blob("ab").digest), "LayerPartTooSmallException");
  await refused(
    ecr.send(new InitiateLayerUploadCommand({ repositoryName: "ghost" })),
    "RepositoryNotFoundException",
  );
});

test("BatchCheckLayerAvailability and GetDownloadUrlForLayer", async () => {
  const repositoryName = await server.repository();
  const layer = blob("a layer");
  const missing = blob("none").digest;
  await upload(repositoryName, layer);
  const checked = await ecr.send(
    new BatchCheckLayerAvailabilityCommand({
      repositoryName,
      layerDigests: [layer.digest, missing, "md5:00"],
    }),
  );
  assert.deepEqual(
    checked.layers?.map((one) => [one.layerAvailability, one.layerSize]),
    [
      ["AVAILABLE", 7],
      ["UNAVAILABLE", undefined],
    ],
  );
  assert.equal(checked.failures?.[0]?.failureCode, "InvalidLayerDigest");
  const { downloadUrl = "" } = await ecr.send(
    new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: layer.digest }),
  );
  const download = (url: string) => fetch(url).then(async (one) => [one.status, await one.text()]);
  assert.deepEqual(await download(downloadUrl), [200, "a layer"]);
  assert.equal((await download(downloadUrl.replace(/\.([\w-]{43})$/, `.${"A".repeat(43)}`)))[0], 403);
  await refused(
    ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: missing })),
    "LayersNotFoundException",
  );
});

test("PutImage and BatchGetImage", async () => {
  const repositoryName = await server.repository();
  const image = makeImage();
  const imageManifest = image.manifest.bytes.toString();
  const putting = (more: object) => ecr.send(new PutImageCommand({ repositoryName, imageManifest, ...more }));
  await refused(putting({}), "LayersNotFoundException");
  for (const one of [image.config, ...image.layers]) await upload(repositoryName, one);
  await refused(putting({ imageDigest: blob("x").digest }), "ImageDigestDoesNotMatchException");
  await refused(putting({ imageManifest: "{}" }), "InvalidParameterException", /ImageManifest/);
  await refused(putting({ imageTag: "a b" }), "InvalidParameterException", /imageTag/);
  const { image: made } = await putting({ imageTag: "v1" });
  assert.deepEqual(made, {
    registryId: "000000000000",
    repositoryName,
    imageId: { imageDigest: image.manifest.digest, imageTag: "v1" },
    imageManifest,
    imageManifestMediaType: OCI_IMAGE,
  });
  await refused(
    putting({ imageTag: "v1" }),
    "ImageAlreadyExistsException",
    new RegExp(`^Image with digest '${image.manifest.digest}' and tag 'v1' already exists`),
  );
  await putting({ imageTag: "v2" });
  await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: "IMMUTABLE" }));
  const other = makeImage();
  for (const one of [other.config, ...other.layers]) await upload(repositoryName, one);
  await refused(
    putting({ imageManifest: other.manifest.bytes.toString(), imageTag: "v1" }),
    "ImageTagAlreadyExistsException",
  );
  const { images, failures } = await ecr.send(
    new BatchGetImageCommand({
      repositoryName,
      imageIds: [
        { imageTag: "v2" },
        { imageTag: "none" },
        {},
        { imageDigest: "text" },
        { imageDigest: blob("x").digest, imageTag: "v1" },
      ],
    }),
  );
  assert.deepEqual(images, [{ ...made, imageId: { ...made?.imageId, imageTag: "v2" } }]);
  assert.deepEqual(
    failures?.map((one) => [one.failureCode, one.imageId]),
    [
      ["ImageNotFound", { imageTag: "none" }],
      ["MissingDigestAndTag", {}],
      ["InvalidImageDigest", { imageDigest: "text" }],
      ["ImageTagDoesNotMatchDigest", { imageDigest: blob("x").digest, imageTag: "v1" }],
    ],
  );
  const unwanted = await ecr.send(
    new BatchGetImageCommand({
      repositoryName,
      imageIds: [{ imageTag: "v1" }],
      acceptedMediaTypes: ["application/other"],
    }),
  );
  assert.equal(unwanted.failures?.[0]?.failureCode, "ImageNotFound");
});

test("ListImages and DescribeImages, by tag status and in pages", async () => {
  const repositoryName = await server.repository();
  const [one, two] = [makeImage(), makeImage()];
  await put(repositoryName, one, "a", "b", "c");
  await put(repositoryName, two, "d");
  await put(repositoryName, makeImage(), "d");
  const tags: (string | undefined)[] = [];
  let pages = 0;
  for await (const page of paginateListImages({ client: ecr, pageSize: 2 }, { repositoryName })) {
    pages++;
    tags.push(...(page.imageIds ?? []).map((id) => id.imageTag));
  }
  assert.equal(pages, 3);
  assert.deepEqual(tags.map((tag) => tag ?? "").sort(), ["", "a", "b", "c", "d"]);
  const untagged = await ecr.send(
    new ListImagesCommand({ repositoryName, filter: { tagStatus: "UNTAGGED" } }),
  );
  assert.deepEqual(untagged.imageIds, [{ imageDigest: two.manifest.digest }]);
  const describe = async (more: object) =>
    (await ecr.send(new DescribeImagesCommand({ repositoryName, ...more }))).imageDetails ?? [];
  assert.equal((await describe({})).length, 3);
  assert.equal((await describe({ filter: { tagStatus: "TAGGED" } })).length, 2);
  assert.equal((await describe({ filter: { tagStatus: "UNTAGGED" } }))[0]?.imageDigest, two.manifest.digest);
  assert.deepEqual(await describe({ filter: { imageStatus: "ARCHIVED" } }), []);
  assert.deepEqual((await describe({ imageIds: [{ imageTag: "b" }] }))[0]?.imageTags, ["a", "b", "c"]);
  const first = await ecr.send(new DescribeImagesCommand({ repositoryName, maxResults: 2 }));
  assert.equal(first.imageDetails?.length, 2);
  assert.equal((await describe({ maxResults: 2, nextToken: first.nextToken })).length, 1);
  await refused(
    describe({ imageIds: [{ imageTag: "none" }] }),
    "ImageNotFoundException",
    /^The image with imageId \{imageDigest:'null', imageTag:'none'\} does not exist within the repository with name/,
  );
  await refused(describe({ imageIds: [{}] }), "InvalidParameterException");
  await refused(describe({ imageIds: [{ imageTag: "a" }], maxResults: 1 }), "InvalidParameterException");
});

test("BatchDeleteImage takes tags away, and with the last one the image", async () => {
  const repositoryName = await server.repository();
  const image = makeImage();
  const { digest } = image.manifest;
  await put(repositoryName, image, "a", "b");
  const remove = (...imageIds: object[]) =>
    ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
  const failed = await remove({ imageTag: "x" }, {}, { imageDigest: "text" });
  assert.deepEqual(
    failed.failures?.map((one) => one.failureCode),
    ["ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest"],
  );
  const one = await remove({ imageTag: "a" });
  assert.deepEqual(one.imageIds, [{ imageDigest: digest, imageTag: "a" }]);
  const left = await ecr.send(new ListImagesCommand({ repositoryName }));
  assert.deepEqual(left.imageIds, [{ imageDigest: digest, imageTag: "b" }]);
  await ecr.send(
    new PutImageCommand({ repositoryName, imageTag: "c", imageManifest: image.manifest.bytes.toString() }),
  );
  const whole = await remove({ imageDigest: digest });
  assert.deepEqual(
    whole.imageIds?.map((id) => id.imageTag),
    ["b", "c"],
  );
  assert.deepEqual((await ecr.send(new ListImagesCommand({ repositoryName }))).imageIds, []);
});
