/** The registry under /v2/: pushes, pulls and lists of the OCI distribution API, and its refusals. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  ListImageReferrersCommand,
  PutAccountSettingCommand,
} from "@aws-sdk/client-ecr";
import {
  DOCKER_IMAGE,
  DOCKER_LIST,
  OCI_IMAGE,
  OCI_INDEX,
  blob,
  descriptor,
  makeImage,
  makeIndex,
  pushBlob,
  pushImage,
  pushManifest,
  registryOf,
  startEcr,
} from "../harness/ecr.ts";
import type { EcrServer, Registry } from "../harness/ecr.ts";
import { scope } from "../protocol/raw-request.ts";

let server: EcrServer;
let registry: Registry;

before(async () => {
  server = await startEcr();
  registry = registryOf(server.endpoint);
});
after(() => server.stop());

const tagsOf = async (name: string, query = "") => {
  const { status, headers, body } = await registry("GET", `/v2/${name}/tags/list${query}`);
  assert.equal(status, 200);
  return { link: headers.link, ...(JSON.parse(body.toString()) as { name: string; tags: string[] }) };
};

test("the base path tells that this is a registry, and a bucket's host that it is none", async () => {
  for (const path of ["/v2/", "/v2"]) {
    const base = await registry("GET", path);
    assert.equal(base.status, 200);
    assert.equal(base.headers["docker-distribution-api-version"], "registry/2.0");
  }
  const ofBucket = await registry("GET", "/v2/", { host: "bucket.s3.localhost" });
  assert.equal(ofBucket.headers["docker-distribution-api-version"], undefined);
  const signed = await registry("GET", "/v2/apis", { headers: scope("apigateway") });
  assert.match(signed.body.toString(), /ApiGatewayV2 GetApis/);
  const nowhere = await registry("GET", "/v2/a/b/c");
  assert.deepEqual([nowhere.status, nowhere.error?.code], [404, "UNSUPPORTED"]);
  const wrong = await registry("DELETE", "/v2/team/app/tags/list");
  assert.deepEqual([wrong.status, wrong.error?.code, wrong.headers.allow], [405, "UNSUPPORTED", "GET"]);
  assert.equal((await registry("GET", "/v2/a%ZZ/tags/list")).error?.code, "NAME_INVALID");
  assert.equal((await registry("GET", "/v2/UPPER/tags/list")).error?.code, "NAME_INVALID");
});

test("an image is pushed and pulled by tag and by digest, byte for byte", async () => {
  const name = await server.repository();
  const image = makeImage();
  const { digest } = image.manifest;
  await pushImage(registry, name, "v1", image);
  for (const reference of ["v1", digest]) {
    const pulled = await registry("GET", `/v2/${name}/manifests/${reference}`);
    assert.equal(pulled.status, 200);
    assert.deepEqual(pulled.body, image.manifest.bytes);
    assert.equal(pulled.headers["content-type"], OCI_IMAGE);
    assert.equal(pulled.headers["docker-content-digest"], digest);
    const head = await registry("HEAD", `/v2/${name}/manifests/${reference}`);
    assert.equal(head.status, 200);
    assert.equal(head.headers["content-length"], String(image.manifest.bytes.length));
    assert.equal(head.body.length, 0);
  }
  for (const layer of [image.config, ...image.layers]) {
    const pulled = await registry("GET", `/v2/${name}/blobs/${layer.digest}`);
    assert.deepEqual(pulled.body, layer.bytes);
    assert.equal(pulled.headers["docker-content-digest"], layer.digest);
  }
  assert.deepEqual(await tagsOf(name), { link: undefined, name, tags: ["v1"] });
});

test("DescribeImages tells size, type, tags and when it was pulled last", async () => {
  const name = await server.repository();
  const image = makeImage({ mediaType: DOCKER_IMAGE });
  await pushImage(registry, name, "v1", image);
  await pushManifest(registry, name, "v2", image.manifest, DOCKER_IMAGE);
  const named = { repositoryName: name };
  const [before] = (await server.ecr.send(new DescribeImagesCommand(named))).imageDetails ?? [];
  assert.equal(before?.lastRecordedPullTime, undefined);
  await registry("GET", `/v2/${name}/manifests/v1`);
  const [detail] = (await server.ecr.send(new DescribeImagesCommand(named))).imageDetails ?? [];
  const bytes = [image.config, ...image.layers].reduce((sum, one) => sum + one.bytes.length, 0);
  assert.deepEqual(
    { ...detail, imagePushedAt: undefined, lastRecordedPullTime: undefined },
    {
      registryId: "000000000000",
      repositoryName: name,
      imageDigest: image.manifest.digest,
      imageTags: ["v1", "v2"],
      imageSizeInBytes: bytes,
      imagePushedAt: undefined,
      lastRecordedPullTime: undefined,
      imageManifestMediaType: DOCKER_IMAGE,
      imageStatus: "ACTIVE",
    },
  );
  assert.ok(Math.abs(Date.now() - (detail?.lastRecordedPullTime?.getTime() ?? 0)) < 60_000);
});

test("a layer is read in ranges", async () => {
  const name = await server.repository();
  const layer = blob(randomBytes(1_000));
  await pushBlob(registry, name, layer);
  const path = `/v2/${name}/blobs/${layer.digest}`;
  const range = async (text: string) => registry("GET", path, { headers: { range: text } });
  const part = await range("bytes=10-19");
  assert.equal(part.status, 206);
  assert.equal(part.headers["content-range"], "bytes 10-19/1000");
  assert.deepEqual(part.body, layer.bytes.subarray(10, 20));
  assert.deepEqual((await range("bytes=-5")).body, layer.bytes.subarray(995));
  assert.deepEqual((await range("bytes=990-")).body, layer.bytes.subarray(990));
  assert.equal((await range("bytes=1000-")).status, 416);
  assert.equal((await range("lines=1-2")).status, 200);
  const head = await registry("HEAD", path);
  assert.deepEqual([head.status, head.headers["content-length"], head.body.length], [200, "1000", 0]);
});

test("a layer comes in chunks, in order, and its upload can be looked at, taken up again and cancelled", async () => {
  const name = await server.repository();
  const layer = blob(randomBytes(300));
  const begun = await registry("POST", `/v2/${name}/blobs/uploads/`);
  const { location = "" } = begun.headers;
  assert.equal(begun.headers.range, "0-0");
  const chunk = (from: number, to: number, range = `${from}-${to - 1}`) =>
    registry("PATCH", location, {
      body: layer.bytes.subarray(from, to),
      headers: { "content-range": range, "content-type": "application/octet-stream" },
    });
  const first = await chunk(0, 100);
  assert.deepEqual([first.status, first.headers.range], [202, "0-99"]);
  for (const wrong of [await chunk(200, 300), await chunk(0, 100), await chunk(100, 200, "some-thing")]) {
    assert.deepEqual([wrong.status, wrong.error?.code], [416, "BLOB_UPLOAD_INVALID"]);
    assert.deepEqual([wrong.headers.range, wrong.headers.location], ["0-99", location]);
  }
  assert.equal((await chunk(100, 200, "100-150")).error?.code, "SIZE_INVALID");
  const status = await registry("GET", location);
  assert.deepEqual([status.status, status.headers.range], [204, "0-99"]);
  assert.equal((await chunk(100, 200)).status, 202);
  const wrongDigest = await registry("PUT", `${location}?digest=${blob("other").digest}`);
  assert.deepEqual([wrongDigest.status, wrongDigest.error?.code], [400, "DIGEST_INVALID"]);
  const put = await registry("PUT", `${location}?digest=${layer.digest}`, {
    body: layer.bytes.subarray(200),
    headers: { "content-range": "200-299" },
  });
  assert.equal(put.status, 201);
  assert.equal(put.headers.location, `/v2/${name}/blobs/${layer.digest}`);
  assert.deepEqual((await registry("GET", put.headers.location ?? "")).body, layer.bytes);
  assert.equal((await registry("GET", location)).error?.code, "BLOB_UPLOAD_UNKNOWN");

  const other = await registry("POST", `/v2/${name}/blobs/uploads/`);
  assert.equal((await registry("DELETE", other.headers.location ?? "")).status, 204);
  const gone = await registry("PATCH", other.headers.location ?? "", { body: "x" });
  assert.deepEqual([gone.status, gone.error?.code], [404, "BLOB_UPLOAD_UNKNOWN"]);
});

test("a layer comes whole, by PUT or by POST, also an empty one", async () => {
  const name = await server.repository();
  const [one, two, empty] = [blob("by PUT"), blob("by POST"), blob("")];
  const begun = await registry("POST", `/v2/${name}/blobs/uploads/`);
  const put = await registry("PUT", `${begun.headers.location}?digest=${one.digest}`, { body: one.bytes });
  assert.equal(put.status, 201);
  const posted = await registry("POST", `/v2/${name}/blobs/uploads/?digest=${two.digest}`, {
    body: two.bytes,
  });
  assert.equal(posted.status, 201);
  await pushBlob(registry, name, empty);
  const nothing = await registry("POST", `/v2/${name}/blobs/uploads/?digest=${empty.digest}`);
  assert.equal(nothing.status, 201);
  for (const { bytes, digest } of [one, two, empty])
    assert.deepEqual((await registry("GET", `/v2/${name}/blobs/${digest}`)).body, bytes);
  const wrong = await registry("POST", `/v2/${name}/blobs/uploads/?digest=${one.digest}`, {
    body: "another",
  });
  assert.deepEqual([wrong.status, wrong.error?.code], [400, "DIGEST_INVALID"]);
  for (const digest of ["sha512:00", "sha256:12", "text"]) {
    const refused = await registry("POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: "x" });
    assert.deepEqual([refused.status, refused.error?.code], [400, "DIGEST_INVALID"]);
  }
});

test("what is not there is told by the specification's codes", async () => {
  const name = await server.repository();
  const missing = blob("nowhere").digest;
  const code = async (method: string, path: string) => {
    const { status, error } = await registry(method, path);
    return [status, error?.code];
  };
  assert.deepEqual(await code("GET", `/v2/${name}/manifests/none`), [404, "MANIFEST_UNKNOWN"]);
  assert.deepEqual(await code("GET", `/v2/${name}/manifests/${missing}`), [404, "MANIFEST_UNKNOWN"]);
  assert.deepEqual(await code("DELETE", `/v2/${name}/manifests/none`), [404, "MANIFEST_UNKNOWN"]);
  assert.deepEqual(await code("GET", `/v2/${name}/blobs/${missing}`), [404, "BLOB_UNKNOWN"]);
  assert.equal((await registry("HEAD", `/v2/${name}/blobs/${missing}`)).status, 404);
  assert.deepEqual(await code("DELETE", `/v2/${name}/blobs/${missing}`), [405, "UNSUPPORTED"]);
  assert.deepEqual(await code("GET", "/v2/ghost/tags/list"), [404, "NAME_UNKNOWN"]);
  const push = await registry("POST", "/v2/ghost/blobs/uploads/");
  assert.equal(
    push.error?.message,
    "The repository with name 'ghost' does not exist in the registry with id '000000000000'",
  );
});

test("a manifest that is none, or names what is not there, is refused", async () => {
  const name = await server.repository();
  const image = makeImage();
  const put = async (body: Buffer | string, type = OCI_IMAGE, reference = "v1") => {
    const answer = await pushManifest(registry, name, reference, blob(Buffer.from(body)), type);
    return [answer.status, answer.error?.code];
  };
  assert.deepEqual(await put("{"), [400, "MANIFEST_INVALID"]);
  assert.deepEqual(await put(JSON.stringify({ schemaVersion: 1 })), [400, "MANIFEST_INVALID"]);
  assert.deepEqual(await put(image.manifest.bytes, DOCKER_IMAGE), [400, "MANIFEST_INVALID"]);
  assert.deepEqual(await put(image.manifest.bytes, "text/plain"), [400, "MANIFEST_INVALID"]);
  assert.deepEqual(await put(image.manifest.bytes), [400, "MANIFEST_BLOB_UNKNOWN"]);
  assert.deepEqual(await put(makeIndex([image]).bytes, OCI_INDEX), [400, "MANIFEST_BLOB_UNKNOWN"]);
  for (const one of [image.config, ...image.layers]) await pushBlob(registry, name, one);
  assert.deepEqual(await put(image.manifest.bytes, OCI_IMAGE, blob("x").digest), [400, "DIGEST_INVALID"]);
  assert.deepEqual(await put(image.manifest.bytes, OCI_IMAGE, ".tag"), [400, "TAG_INVALID"]);
  assert.deepEqual(await put(Buffer.alloc(4 * 1024 * 1024 + 1, " ")), [413, "SIZE_INVALID"]);
  assert.deepEqual(await put(image.manifest.bytes, OCI_IMAGE, image.manifest.digest), [201, undefined]);
  assert.deepEqual((await tagsOf(name)).tags, []);
});

test("a layer that says beforehand that it is larger than a layer may be is refused before it comes", async () => {
  const name = await server.repository();
  const { location = "" } = (await registry("POST", `/v2/${name}/blobs/uploads/`)).headers;
  const { status, error } = await registry("PATCH", location, {
    headers: { "content-length": String(52_000 * 1024 * 1024 + 1) },
  }).catch((cause: Error) => assert.fail(cause));
  assert.deepEqual([status, error?.code], [413, "SIZE_INVALID"]);
});

test("a list of images is pushed after them; clients that take images only get the one for Linux on x86-64", async () => {
  const name = await server.repository();
  const images = [makeImage(), makeImage()];
  for (const image of images) await pushImage(registry, name, image.manifest.digest, image);
  const index = makeIndex(images);
  assert.equal((await pushManifest(registry, name, "v1", index, OCI_INDEX)).status, 201);
  const pull = async (accept?: string, reference = "v1") =>
    (
      await registry("GET", `/v2/${name}/manifests/${reference}`, {
        ...(accept !== undefined && { headers: { accept } }),
      })
    ).headers["docker-content-digest"];
  assert.equal(await pull(), index.digest);
  assert.equal(await pull(`${OCI_INDEX}, ${OCI_IMAGE}`), index.digest);
  assert.equal(await pull("*/*"), index.digest);
  assert.equal(await pull(`${DOCKER_LIST};q=0.5, ${DOCKER_IMAGE}`), index.digest);
  assert.equal(await pull(DOCKER_IMAGE), images[0]?.manifest.digest);
  assert.equal(await pull(DOCKER_IMAGE, index.digest), index.digest);
  const details = await server.ecr.send(
    new DescribeImagesCommand({ repositoryName: name, imageIds: [{ imageTag: "v1" }] }),
  );
  const child = [images[0]?.config, ...(images[0]?.layers ?? [])];
  const bytes = child.reduce((sum, one) => sum + (one?.bytes.length ?? 0), 0);
  assert.ok((details.imageDetails?.[0]?.imageSizeInBytes ?? 0) >= bytes);

  const { digest } = images[0]?.manifest ?? {};
  const kept = await registry("DELETE", `/v2/${name}/manifests/${digest}`);
  assert.deepEqual([kept.status, kept.error?.code], [409, "DENIED"]);
  const { failures } = await server.ecr.send(
    new BatchDeleteImageCommand({ repositoryName: name, imageIds: [{ imageDigest: digest }] }),
  );
  assert.equal(failures?.[0]?.failureCode, "ImageReferencedByManifestList");
  assert.equal((await registry("DELETE", `/v2/${name}/manifests/${index.digest}`)).status, 202);
  assert.equal((await registry("DELETE", `/v2/${name}/manifests/${digest}`)).status, 202);
});

test("a tag moves to another image, and is deleted; the last one takes the image along", async () => {
  const name = await server.repository();
  const [one, two] = [makeImage(), makeImage()];
  await pushImage(registry, name, "latest", one);
  await pushImage(registry, name, "latest", two);
  await pushManifest(registry, name, "v2", two.manifest, OCI_IMAGE);
  const digestOf = async (reference: string) =>
    (await registry("HEAD", `/v2/${name}/manifests/${reference}`)).headers["docker-content-digest"];
  assert.equal(await digestOf("latest"), two.manifest.digest);
  assert.equal(await digestOf(one.manifest.digest), one.manifest.digest);
  assert.equal((await registry("DELETE", `/v2/${name}/manifests/latest`)).status, 202);
  assert.equal(await digestOf("v2"), two.manifest.digest);
  assert.equal((await registry("DELETE", `/v2/${name}/manifests/v2`)).status, 202);
  assert.equal(await digestOf(two.manifest.digest), undefined);
});

test("tags and repositories are listed in pages", async () => {
  const name = await server.repository();
  const image = makeImage();
  await pushImage(registry, name, "c", image);
  for (const tag of ["a", "d", "b"]) await pushManifest(registry, name, tag, image.manifest, OCI_IMAGE);
  const first = await tagsOf(name, "?n=3");
  assert.deepEqual(first.tags, ["a", "b", "c"]);
  assert.equal(first.link, `</v2/${name}/tags/list?n=3&last=c>; rel="next"`);
  assert.deepEqual(await tagsOf(name, "?n=3&last=c"), { link: undefined, name, tags: ["d"] });
  assert.deepEqual((await tagsOf(name, "?n=0")).tags, []);
  const wrong = await registry("GET", `/v2/${name}/tags/list?n=-1`);
  assert.deepEqual([wrong.status, wrong.error?.code], [400, "PAGINATION_NUMBER_INVALID"]);
  const catalogue = await registry("GET", "/v2/_catalog?n=1000");
  const { repositories } = JSON.parse(catalogue.body.toString()) as { repositories: string[] };
  assert.ok(repositories.includes(name));
  const page = await registry("GET", "/v2/_catalog?n=1");
  assert.match(String(page.headers.link), /^<\/v2\/_catalog\?n=1&last=.*>; rel="next"$/);
});

test("referrers of a manifest are listed, before it is there too; ListImageReferrers tells the same", async () => {
  const name = await server.repository();
  const subject = makeImage();
  const about = (artifactType: string) =>
    makeImage({
      layers: 1,
      more: {
        artifactType,
        subject: descriptor(subject.manifest, OCI_IMAGE),
        annotations: { note: "signed" },
      },
    });
  const [signature, sbom] = [about("application/x.signature"), about("application/x.sbom")];
  for (const image of [signature, sbom]) {
    for (const one of [image.config, ...image.layers]) await pushBlob(registry, name, one);
    const put = await pushManifest(registry, name, image.manifest.digest, image.manifest, OCI_IMAGE);
    assert.equal(put.headers["oci-subject"], subject.manifest.digest);
  }
  await pushImage(registry, name, "v1", subject);
  const list = async (query = "") => {
    const answer = await registry("GET", `/v2/${name}/referrers/${subject.manifest.digest}${query}`);
    assert.equal(answer.headers["content-type"], OCI_INDEX);
    const { manifests } = JSON.parse(answer.body.toString()) as { manifests: { digest: string }[] };
    return { filter: answer.headers["oci-filters-applied"], manifests };
  };
  assert.equal((await list()).manifests.length, 2);
  const filtered = await list("?artifactType=application/x.sbom");
  assert.equal(filtered.filter, "artifactType");
  assert.deepEqual(filtered.manifests, [
    {
      ...descriptor(sbom.manifest, OCI_IMAGE),
      artifactType: "application/x.sbom",
      annotations: { note: "signed" },
    },
  ]);
  const { referrers } = await server.ecr.send(
    new ListImageReferrersCommand({
      repositoryName: name,
      subjectId: { imageDigest: subject.manifest.digest },
      filter: { artifactTypes: ["application/x.signature"] },
    }),
  );
  assert.deepEqual(
    referrers?.map(({ digest, artifactType }) => [digest, artifactType]),
    [[signature.manifest.digest, "application/x.signature"]],
  );
  const none = await registry("GET", `/v2/${name}/referrers/${blob("none").digest}`);
  assert.equal(none.status, 200);
  assert.equal((await registry("GET", `/v2/${name}/referrers/text`)).error?.code, "DIGEST_INVALID");
});

test("a layer is mounted from another repository once PutAccountSetting has switched BLOB_MOUNTING on", async () => {
  const [from, to] = [await server.repository(), await server.repository()];
  const layer = blob(randomBytes(100));
  await pushBlob(registry, from, layer);
  const mount = (more = `&from=${from}`) =>
    registry("POST", `/v2/${to}/blobs/uploads/?mount=${layer.digest}${more}`);
  const off = await mount();
  assert.equal(off.status, 202, "as with ECR, whose registries do not mount by default");
  assert.equal((await registry("HEAD", `/v2/${to}/blobs/${layer.digest}`)).status, 404);
  await server.ecr.send(new PutAccountSettingCommand({ name: "BLOB_MOUNTING", value: "ENABLED" }));
  assert.equal((await registry("POST", `/v2/${to}/blobs/uploads/?mount=${blob("x").digest}`)).status, 202);
  assert.equal((await mount("&from=ghost")).status, 202);
  const mounted = await mount();
  assert.deepEqual([mounted.status, mounted.headers.location], [201, `/v2/${to}/blobs/${layer.digest}`]);
  assert.deepEqual((await registry("GET", `/v2/${to}/blobs/${layer.digest}`)).body, layer.bytes);
});

test("a registry is named by its host; a name that one region only has is found without", async () => {
  const other = { account: "111111111111", region: "eu-west-1" };
  const { ECRClient } = await import("@aws-sdk/client-ecr");
  const [elsewhere, west] = [
    new ECRClient(server.client(other)),
    new ECRClient(server.client({ region: "eu-west-1" })),
  ];
  const made = await elsewhere.send(new CreateRepositoryCommand({ repositoryName: "hosted" }));
  const { port } = new URL(server.endpoint);
  const host = `111111111111.dkr.ecr.eu-west-1.localhost:${port}`;
  assert.equal(made.repository?.repositoryUri, `${host}/hosted`);
  const there = registryOf(server.endpoint, { host });
  const image = makeImage();
  await pushImage(there, "hosted", "v1", image);
  const { images } = await elsewhere.send(
    new BatchGetImageCommand({ repositoryName: "hosted", imageIds: [{ imageTag: "v1" }] }),
  );
  assert.equal(images?.[0]?.imageManifest, image.manifest.bytes.toString());
  assert.equal((await registry("GET", "/v2/hosted/tags/list")).status, 404, "another account's");

  const regional = await west.send(new CreateRepositoryCommand({ repositoryName: "regional" }));
  assert.equal(regional.repository?.repositoryUri, `127.0.0.1:${port}/regional`);
  await pushImage(registry, "regional", "v1", image);
  const found = await west.send(new DescribeImagesCommand({ repositoryName: "regional" }));
  assert.equal(found.imageDetails?.length, 1);
  for (const client of [elsewhere, west]) client.destroy();
});
