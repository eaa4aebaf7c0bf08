/** Layers: their versions, who may have them, and functions that do. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  InvokeCommand,
  LambdaClient,
  ListLayerVersionsCommand,
  ListLayersCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { PublishLayerVersionCommandInput } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { linkEntry, rawZip, zipOf } from "../harness/zip.ts";
import { ACCOUNT, settle, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

type Files = Readonly<Record<string, string | Uint8Array>>;
const arnOf = (name: string, version: number) =>
  `arn:aws:lambda:us-east-1:${ACCOUNT}:layer:${name}:${version}`;

async function publish(
  LayerName: string,
  files: Files | Uint8Array,
  more: Partial<PublishLayerVersionCommandInput> = {},
  client: LambdaClient = setting.lambda,
): Promise<string> {
  const ZipFile = files instanceof Uint8Array ? files : await zipOf(files);
  const { LayerVersionArn = "" } = await client.send(
    new PublishLayerVersionCommand({ LayerName, Content: { ZipFile }, ...more }),
  );
  return LayerVersionArn;
}

const refused = (name: string, message: string | RegExp) => ({ name, message });

test("PublishLayerVersion numbers versions from 1; GetLayerVersion and GetLayerVersionByArn answer one, with a URL of what was published", async () => {
  const ZipFile = await zipOf({ "nodejs/node_modules/a/index.js": "exports.a = 1;" });
  const published = await setting.lambda.send(
    new PublishLayerVersionCommand({
      LayerName: "first",
      Description: "What it is for",
      LicenseInfo: "MIT",
      CompatibleRuntimes: ["nodejs24.x", "nodejs26.x"],
      CompatibleArchitectures: ["x86_64", "arm64"],
      Content: { ZipFile },
    }),
  );
  const layer = `arn:aws:lambda:us-east-1:${ACCOUNT}:layer:first`;
  assert.equal(published.$metadata.httpStatusCode, 201);
  assert.equal(published.LayerArn, layer);
  assert.equal(published.LayerVersionArn, `${layer}:1`);
  assert.equal(published.Version, 1);
  assert.match(published.CreatedDate ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  assert.equal(published.Content?.CodeSize, ZipFile.length);
  const { $metadata: _, ...got } = await setting.lambda.send(
    new GetLayerVersionCommand({ LayerName: layer, VersionNumber: 1 }),
  );
  const { Location = "" } = got.Content ?? {};
  assert.deepEqual(
    { ...got, Content: undefined },
    {
      LayerArn: layer,
      LayerVersionArn: `${layer}:1`,
      Version: 1,
      Description: "What it is for",
      LicenseInfo: "MIT",
      CompatibleRuntimes: ["nodejs24.x", "nodejs26.x"],
      CompatibleArchitectures: ["x86_64", "arm64"],
      CreatedDate: published.CreatedDate,
      Content: undefined,
    },
  );
  assert.equal(got.Content?.CodeSha256, published.Content?.CodeSha256);
  assert.deepEqual(Buffer.from(await (await fetch(Location)).arrayBuffer()), ZipFile);
  assert.equal(await publish("first", { other: "x" }), `${layer}:2`);
  const byArn = await setting.lambda.send(new GetLayerVersionByArnCommand({ Arn: `${layer}:2` }));
  assert.equal(byArn.Version, 2);
});

test("PublishLayerVersion reads its content from S3, and refuses none, two, a broken zip, and REFERENCE without versions", async () => {
  const s3 = new S3Client(setting.server.client());
  await s3.send(new CreateBucketCommand({ Bucket: "layers" }));
  const Body = await zipOf({ x: "x" });
  await s3.send(new PutObjectCommand({ Bucket: "layers", Key: "layer.zip", Body }));
  const from = (Content: PublishLayerVersionCommandInput["Content"]) =>
    setting.lambda.send(new PublishLayerVersionCommand({ LayerName: "stored", Content }));
  const S3 = { S3Bucket: "layers", S3Key: "layer.zip" };
  assert.equal((await from(S3)).Content?.CodeSize, Body.length);
  const invalid = "InvalidParameterValueException";
  await assert.rejects(from({}), refused(invalid, /Please provide a source/));
  await assert.rejects(from({ ...S3, ZipFile: Body }), { name: invalid });
  await assert.rejects(from({ ...S3, S3Key: "missing" }), refused(invalid, /NoSuchKey/));
  await assert.rejects(from({ ZipFile: Buffer.from("no zip") }), refused(invalid, /Could not unzip/));
  await assert.rejects(from({ ZipFile: rawZip([linkEntry("out", "../..")]) }), { name: invalid });
  await assert.rejects(
    from({ ...S3, S3ObjectStorageMode: "REFERENCE" }),
    refused(invalid, /REFERENCE requires versioning/),
  );
  assert.equal((await from(S3)).Version, 2, "what was refused took no number");
});

test("ListLayerVersions answers the newest first, by pages and by what they are compatible with", async () => {
  await publish("listed", { a: "1" }, { CompatibleRuntimes: ["nodejs24.x"] });
  await publish(
    "listed",
    { a: "2" },
    { CompatibleRuntimes: ["python3.13"], CompatibleArchitectures: ["arm64"] },
  );
  await publish("listed", { a: "3" });
  const list = (more: object) =>
    setting.lambda.send(new ListLayerVersionsCommand({ LayerName: "listed", ...more }));
  const numbers = async (more: object) => (await list(more)).LayerVersions?.map((one) => one.Version);
  assert.deepEqual(await numbers({}), [3, 2, 1]);
  assert.deepEqual(await numbers({ CompatibleRuntime: "nodejs24.x" }), [1]);
  assert.deepEqual(await numbers({ CompatibleArchitecture: "arm64" }), [2]);
  assert.deepEqual(await numbers({ CompatibleRuntime: "nodejs24.x", CompatibleArchitecture: "arm64" }), []);
  const first = await list({ MaxItems: 2 });
  assert.deepEqual(
    first.LayerVersions?.map((one) => one.LayerVersionArn),
    [arnOf("listed", 3), arnOf("listed", 2)],
  );
  assert.deepEqual(await numbers({ MaxItems: 2, Marker: first.NextMarker }), [1]);
  assert.deepEqual(
    (await setting.lambda.send(new ListLayerVersionsCommand({ LayerName: "nobody" }))).LayerVersions,
    [],
  );
});

test("ListLayers answers each layer with its newest version that matches", async () => {
  const client = new LambdaClient(setting.server.client({ account: "222233334444" }));
  await publish("b", { a: "1" }, { CompatibleRuntimes: ["nodejs24.x"] }, client);
  await publish("b", { a: "2" }, {}, client);
  await publish("a", { a: "1" }, {}, client);
  const list = async (more: object) => {
    const { Layers = [], NextMarker } = await client.send(new ListLayersCommand(more));
    return { found: Layers.map((one) => [one.LayerName, one.LatestMatchingVersion?.Version]), NextMarker };
  };
  assert.deepEqual((await list({})).found, [
    ["a", 1],
    ["b", 2],
  ]);
  assert.deepEqual((await list({ CompatibleRuntime: "nodejs24.x" })).found, [["b", 1]]);
  const first = await list({ MaxItems: 1 });
  assert.deepEqual(first.found, [["a", 1]]);
  assert.deepEqual((await list({ MaxItems: 1, Marker: first.NextMarker })).found, [["b", 2]]);
});

test("DeleteLayerVersion takes a version away for good: its number is not given again, and functions keep what they have", async () => {
  const arn = await publish("doomed", { "nodejs/node_modules/doomed/index.js": "module.exports = 'kept';" });
  const name = await setting.create(`import value from "doomed"; export const handler = async () => value;`, {
    Layers: [arn],
  });
  const version = { LayerName: "doomed", VersionNumber: 1 };
  const gone = await setting.lambda.send(new DeleteLayerVersionCommand(version));
  assert.equal(gone.$metadata.httpStatusCode, 204);
  await assert.rejects(
    setting.lambda.send(new GetLayerVersionCommand(version)),
    refused("ResourceNotFoundException", "The resource you requested does not exist."),
  );
  await setting.lambda.send(new DeleteLayerVersionCommand(version));
  assert.equal((await setting.invoke(name)).value, "kept");
  await assert.rejects(
    setting.create("", { Layers: [arn] }),
    refused("InvalidParameterValueException", `Layer version ${arn} does not exist.`),
  );
  // Another configuration of the same function: the layer stays though it could not be named again.
  await setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, MemorySize: 256 }));
  await setting.updated(name);
  assert.equal((await setting.invoke(name)).value, "kept");
  assert.equal(await publish("doomed", { x: "y" }), arnOf("doomed", 2));
  for (const VersionNumber of [0, -1])
    await assert.rejects(
      setting.lambda.send(new GetLayerVersionCommand({ LayerName: "doomed", VersionNumber })),
      refused("InvalidParameterValueException", "Layer Version Cannot be less than 1"),
    );
});

test("layers lie over one another at /opt in their order, and their modules are found; an update changes them as a whole", async () => {
  const module = (name: string, value: string) => ({
    [`nodejs/node_modules/${name}/index.js`]: `module.exports = ${JSON.stringify(value)};`,
  });
  const one = await publish("one", {
    ...module("shared", "one"),
    ...module("alone", "one"),
    "data/one": "1",
  });
  const two = await publish("two", { ...module("shared", "two"), "data/two": "2" });
  const source = `import shared from "shared"; import { readdirSync } from "node:fs"; import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    export const handler = async () => {
      let alone = null; try { alone = require("alone"); } catch {}
      return { shared, alone, data: readdirSync("/opt/data").sort() };
    };`;
  const name = await setting.create(source, { Layers: [one, two] });
  assert.deepEqual((await setting.invoke(name)).value, { shared: "two", alone: "one", data: ["one", "two"] });
  const configuration = await setting.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: name }),
  );
  assert.deepEqual(
    configuration.Layers?.map((layer) => layer.Arn),
    [one, two],
  );
  assert.ok((configuration.Layers?.[0]?.CodeSize ?? 0) > 0);
  const published = await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  const update = async (Layers: string[]) => {
    await setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Layers }));
    await setting.updated(name);
  };
  await update([two, one]);
  assert.deepEqual((await setting.invoke(name)).value, { shared: "one", alone: "one", data: ["one", "two"] });
  await update([two]);
  assert.deepEqual((await setting.invoke(name)).value, { shared: "two", alone: null, data: ["two"] });
  await update([]);
  assert.match(JSON.stringify((await setting.invoke(name)).value), /Cannot find (package|module) 'shared'/);
  const after = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  assert.equal(after.Layers, undefined);
  const old = await setting.invoke(name, {}, { Qualifier: published.Version });
  assert.deepEqual(
    old.value,
    { shared: "two", alone: "one", data: ["one", "two"] },
    "a version is immutable",
  );
});

test("a layer brings a custom runtime its bootstrap", async () => {
  const bootstrap = `#!/bin/sh
while :; do
  headers=$(mktemp)
  curl -sS -D "$headers" -o /dev/null "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next"
  id=$(sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *\\([^\\r]*\\)\\r*$/\\1/p' "$headers")
  curl -sS -o /dev/null -d '"from the layer"' "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
`;
  const layer = await publish("runtime", { bootstrap });
  const name = await setting.create("", { Runtime: "provided.al2023", Handler: "none", Layers: [layer] });
  assert.equal((await setting.invoke(name)).value, "from the layer");
});

test("CreateFunction and UpdateFunctionConfiguration refuse layers that cannot be: six, two of one, elsewhere, missing, no version", async () => {
  const arns = await Promise.all(
    Array.from({ length: 6 }, (_, n) => publish(`many-${n}`, { [`f${n}`]: "x" })),
  );
  const second = await publish("many-0", { x: "2" });
  const create = (Layers: string[]) => setting.create("", { Layers });
  const invalid = "InvalidParameterValueException";
  await assert.rejects(create(arns), refused(invalid, "Cannot reference more than 5 layers."));
  await assert.rejects(
    create([arns[0] ?? "", second]),
    refused(
      invalid,
      `Two different versions of the same layer are not allowed to be referenced in the same function. ${arns[0]} and ${second} are versions of the same layer.`,
    ),
  );
  const elsewhere = (arns[0] ?? "").replace("us-east-1", "eu-west-1");
  await assert.rejects(
    create([elsewhere]),
    refused(
      invalid,
      "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
    ),
  );
  await assert.rejects(
    create([arnOf("many-1", 9)]),
    refused(invalid, `Layer version ${arnOf("many-1", 9)} does not exist.`),
  );
  await assert.rejects(create([arnOf("x", 1).replace(/:1$/, "")]), { name: "ValidationException" });
  const name = await setting.create("export const handler = async () => 1;", { Layers: arns.slice(0, 5) });
  await assert.rejects(
    setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Layers: arns })),
    refused(invalid, "Cannot reference more than 5 layers."),
  );
});

test("code and layers together may unpack to 250 MB", async () => {
  const megabytes = (count: number) => Buffer.alloc(count * 1024 * 1024);
  const big = await publish("big", await zipOf({ big: megabytes(150) }));
  const other = await publish("other", await zipOf({ other: megabytes(101) }));
  const invalid = "InvalidParameterValueException";
  await assert.rejects(
    setting.create("", { Layers: [big, other] }),
    refused(invalid, "Layers consume more than the available size of 262144000 bytes"),
  );
  const ZipFile = await zipOf({ "index.mjs": "", more: megabytes(100) });
  const bytes = 250 * 1024 * 1024;
  const name = await setting.create("", { Code: { ZipFile }, Layers: [big] });
  const larger = await zipOf({ "index.mjs": " ", more: megabytes(100) });
  await assert.rejects(
    setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: larger })),
    refused(
      invalid,
      `Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is ${bytes + 1} bytes.`,
    ),
  );
});

test("layers count in what an account stores, once a version, and are gone with the last that has them", async () => {
  const client = new LambdaClient(setting.server.client({ account: "333344445555" }));
  const stored = async () =>
    (await client.send(new GetAccountSettingsCommand({}))).AccountUsage?.TotalCodeSize;
  await publish("counted", { a: "x".repeat(1_000) }, {}, client);
  assert.equal(await stored(), 1_000);
  const { Content } = await client.send(
    new GetLayerVersionCommand({ LayerName: "counted", VersionNumber: 1 }),
  );
  const status = async () => (await fetch(Content?.Location ?? "")).status;
  assert.equal(await status(), 200);
  await client.send(new DeleteLayerVersionCommand({ LayerName: "counted", VersionNumber: 1 }));
  assert.equal(await stored(), 0);
  assert.equal(await status(), 404);
});

test("functions have their layers after kill -9, also where unpacked code had to go", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-layers-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--log-level", "error", "--code-cache-bytes", "0"];
  let server = await spawnServer(flags);
  t.after(async () => {
    await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
  });
  const first = await settle(server.endpoint);
  const layers: string[] = [];
  for (const name of ["a", "b"])
    layers.push(await publish(name, { [`data/${name}`]: name }, {}, first.lambda));
  const FunctionName = await first.create(
    `import { readdirSync } from "node:fs"; export const handler = async () => readdirSync("/opt/data").sort();`,
    { Layers: layers },
  );
  const restarted = async () => {
    await server.kill();
    server = await spawnServer(flags);
    const client = new LambdaClient(clientOptions(server.endpoint));
    const { Payload } = await client.send(new InvokeCommand({ FunctionName }));
    assert.deepEqual(JSON.parse(Payload?.transformToString() ?? ""), ["a", "b"]);
    return client;
  };
  const client = await restarted();
  for (const LayerName of ["a", "b"])
    await client.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: 1 }));
  await restarted();
});
