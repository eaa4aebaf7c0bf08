/** Code signing: configurations, profiles and signatures that `lambent signing-profile` and `lambent sign` make, and what is let in. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  DeleteFunctionCommand,
  GetCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionCommand,
  LambdaClient,
  ListCodeSigningConfigsCommand,
  ListFunctionsByCodeSigningConfigCommand,
  ListTagsCommand,
  PublishLayerVersionCommand,
  PutFunctionCodeSigningConfigCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { CodeSigningPolicy, CreateCodeSigningConfigCommandInput } from "@aws-sdk/client-lambda";
import { SigningProfiles, signPackage, signingProfilesDir } from "../../src/services/lambda/index.ts";
import type { SigningProfile } from "../../src/services/lambda/index.ts";
import { makeUser } from "../harness/principals.ts";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, ECHO, RUNTIME, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const INDEX = "export const handler = async () => 'signed';";
const MONTH_MS = 31 * 24 * 3_600_000;
const UNKNOWN = `arn:aws:signer:us-east-1:111122223333:/signing-profiles/unknown/abcdefghij`;

let setting: Setting;
let profiles: SigningProfiles;
let folder: string;
let trusted: SigningProfile;
before(async () => {
  setting = await startSetting({ logLevel: "error" });
  profiles = new SigningProfiles(signingProfilesDir(setting.server.dataDir));
  folder = await mkdtemp(join(tmpdir(), "lambent-signing-"));
  trusted = await newProfile("trusted");
});
after(async () => {
  await setting?.server.stop();
  await rm(folder, { recursive: true, force: true });
});

const newProfile = (name: string) =>
  profiles.create({ account: ACCOUNT, region: "us-east-1" }, name, 12, Date.now());

/** A package, signed; at a time of its own where one is given. */
async function signed(profile: SigningProfile, text = INDEX, now = Date.now()) {
  const [source, target] = [join(folder, "plain.zip"), join(folder, "signed.zip")];
  await writeFile(source, await zipOf({ "index.mjs": text, "lib/more.txt": "more" }));
  const job = await signPackage(profiles, profile, { source, target, now });
  return { job, zip: await readFile(target) };
}

async function newConfig(
  untrusted?: CodeSigningPolicy,
  more: Partial<CreateCodeSigningConfigCommandInput> = {},
): Promise<string> {
  const { CodeSigningConfig } = await setting.lambda.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: { SigningProfileVersionArns: [trusted.profileVersionArn] },
      ...(untrusted && { CodeSigningPolicies: { UntrustedArtifactOnDeployment: untrusted } }),
      ...more,
    }),
  );
  return CodeSigningConfig?.CodeSigningConfigArn ?? "";
}

const creation = (FunctionName: string, ZipFile: Uint8Array, CodeSigningConfigArn: string) =>
  setting.lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: RUNTIME,
      Role: setting.role,
      Handler: "index.handler",
      Code: { ZipFile },
      CodeSigningConfigArn,
    }),
  );
const describe = (FunctionName: string) =>
  setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
const failures = async (name: string) => {
  const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  const line = text.split("\n").find((one) => /signature/i.test(one) && one.includes(`"${name}"`));
  return Number(line?.split(" ").at(-1) ?? 0);
};

test("CreateCodeSigningConfig, GetCodeSigningConfig, UpdateCodeSigningConfig and DeleteCodeSigningConfig", async () => {
  const arn = await newConfig(undefined, { Description: "first", Tags: { team: "a" } });
  assert.match(arn, new RegExp(`^arn:aws:lambda:us-east-1:${ACCOUNT}:code-signing-config:csc-[a-z0-9]{17}$`));
  const get = () => setting.lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn: arn }));
  const { CodeSigningConfig: made } = await get();
  assert.deepEqual(
    { ...made, LastModified: undefined },
    {
      CodeSigningConfigId: arn.split(":").at(-1),
      CodeSigningConfigArn: arn,
      Description: "first",
      AllowedPublishers: { SigningProfileVersionArns: [trusted.profileVersionArn] },
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: "Warn" },
      LastModified: undefined,
    },
  );
  const { CodeSigningConfig: updated } = await setting.lambda.send(
    new UpdateCodeSigningConfigCommand({
      CodeSigningConfigArn: arn,
      Description: "second",
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: "Enforce" },
      AllowedPublishers: { SigningProfileVersionArns: [UNKNOWN] },
    }),
  );
  assert.deepEqual(updated, (await get()).CodeSigningConfig);
  assert.deepEqual(
    [updated?.Description, updated?.CodeSigningPolicies, updated?.AllowedPublishers],
    ["second", { UntrustedArtifactOnDeployment: "Enforce" }, { SigningProfileVersionArns: [UNKNOWN] }],
  );
  const gone = await setting.lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn: arn }));
  assert.equal(gone.$metadata.httpStatusCode, 204);
  const missing = {
    name: "ResourceNotFoundException",
    message: /signing configuration arn\S+ can not be found/,
  };
  await assert.rejects(get(), missing);
  const CodeSigningConfigArn = arn;
  for (const command of [
    new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }),
    new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn }),
  ])
    await assert.rejects(setting.lambda.send(command), missing);
  const wrong = (arns: string[]) =>
    newConfig("Warn", { AllowedPublishers: { SigningProfileVersionArns: arns } });
  await assert.rejects(wrong(["arn:aws:s3:::bucket"]), { name: "InvalidParameterValueException" });
  await assert.rejects(wrong([]), { name: "ValidationException" });
  await assert.rejects(wrong(Array.from({ length: 21 }, () => UNKNOWN)), { name: "ValidationException" });
});

test("ListCodeSigningConfigs in pages; tags of configurations", async () => {
  const made = [await newConfig(), await newConfig(), await newConfig(undefined, { Tags: { a: "1" } })];
  const listed: string[] = [];
  let Marker: string | undefined;
  do {
    const answer = await setting.lambda.send(
      new ListCodeSigningConfigsCommand({ MaxItems: 2, ...(Marker && { Marker }) }),
    );
    assert.ok((answer.CodeSigningConfigs ?? []).length <= 2);
    listed.push(...(answer.CodeSigningConfigs ?? []).map((one) => one.CodeSigningConfigArn ?? ""));
    Marker = answer.NextMarker;
  } while (Marker);
  assert.deepEqual(listed.toSorted(), made.toSorted());
  const Resource = made[2] ?? "";
  await setting.lambda.send(new TagResourceCommand({ Resource, Tags: { b: "2" } }));
  await setting.lambda.send(new UntagResourceCommand({ Resource, TagKeys: ["a"] }));
  assert.deepEqual((await setting.lambda.send(new ListTagsCommand({ Resource }))).Tags, { b: "2" });
  for (const CodeSigningConfigArn of made)
    await setting.lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }));
  await assert.rejects(setting.lambda.send(new ListTagsCommand({ Resource })), {
    name: "ResourceNotFoundException",
  });
});

test("PutFunctionCodeSigningConfig, GetFunctionCodeSigningConfig, ListFunctionsByCodeSigningConfig, DeleteFunctionCodeSigningConfig", async () => {
  const CodeSigningConfigArn = await newConfig("Enforce");
  const FunctionName = await setting.create(ECHO);
  const get = async () => {
    const { $metadata: _, ...rest } = await setting.lambda.send(
      new GetFunctionCodeSigningConfigCommand({ FunctionName }),
    );
    return rest;
  };
  assert.deepEqual(await get(), {});
  const put = (more: object = {}) =>
    setting.lambda.send(
      new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn, ...more }),
    );
  assert.equal((await put()).FunctionName, FunctionName);
  assert.deepEqual(await get(), { CodeSigningConfigArn, FunctionName });
  const users = async () =>
    (await setting.lambda.send(new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn })))
      .FunctionArns;
  assert.deepEqual(await users(), [`arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}`]);
  assert.equal((await setting.invoke(FunctionName)).error, undefined, "what runs goes on running");
  const remove = setting.lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }));
  await assert.rejects(remove, { name: "ResourceConflictException", message: /is in use by functions/ });
  const nobody = `${CodeSigningConfigArn.slice(0, -3)}000`;
  await assert.rejects(put({ CodeSigningConfigArn: nobody }), { name: "CodeSigningConfigNotFoundException" });
  await assert.rejects(put({ FunctionName: "nobody" }), { name: "ResourceNotFoundException" });
  await assert.rejects(put({ FunctionName: `${FunctionName}:1` }), {
    name: "InvalidParameterValueException",
  });
  await assert.rejects(creation("refused", await zipOf({ "index.mjs": INDEX }), nobody), {
    name: "CodeSigningConfigNotFoundException",
  });
  const done = await setting.lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }));
  assert.equal(done.$metadata.httpStatusCode, 204);
  assert.deepEqual([await get(), await users()], [{}, []]);
  await put();
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName }));
  assert.deepEqual(await users(), []);
});

test("Enforce lets in what an allowed profile signed, and says what is wrong with all else", async () => {
  const config = await newConfig("Enforce");
  const good = await signed(trusted);
  const answer = await creation("enforced", good.zip, config);
  assert.deepEqual(
    [answer.SigningProfileVersionArn, answer.SigningJobArn],
    [trusted.profileVersionArn, good.job],
  );
  assert.match(good.job, /^arn:aws:signer:us-east-1:000000000000:\/signing-jobs\/[0-9a-f-]{36}$/);
  await setting.updated("enforced");
  assert.equal((await setting.invoke("enforced")).value, "signed");

  const update = (ZipFile: Uint8Array) =>
    setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "enforced", ZipFile, DryRun: true }));
  const refusal = (message: RegExp) => ({
    name: "CodeVerificationFailedException",
    message: new RegExp(`^Lambda cannot deploy the function\\. .*function:enforced\\. ${message.source}`),
  });
  await assert.rejects(update(await zipOf({ "index.mjs": INDEX })), refusal(/It is not signed/));
  const stranger = await newProfile("stranger");
  await assert.rejects(
    update((await signed(stranger)).zip),
    refusal(/It is signed by \S+stranger\S+, which is not among the AllowedPublishers/),
  );
  const old = await signed(trusted, INDEX, Date.now() - 13 * MONTH_MS);
  await assert.rejects(update(old.zip), refusal(/Its signature expired at/));
  const lost = await newProfile("lost");
  const unknown = await signed(lost);
  const { profileVersionArn } = lost;
  const [, name, version] = /profiles\/(\w+)\/(\w+)/.exec(profileVersionArn) ?? [];
  await rm(join(signingProfilesDir(setting.server.dataDir), `${name}-${version}-${ACCOUNT}-us-east-1.json`));
  await assert.rejects(update(unknown.zip), refusal(/It names .*lost\S+, of which this server has no key/));
  const revoked = await signed(trusted, "export const handler = async () => 'revoked';");
  await update(revoked.zip);
  await profiles.revoke(trusted, { job: revoked.job });
  await assert.rejects(update(revoked.zip), refusal(/Its signature by \S+ was revoked/));
  await update(good.zip);
  assert.equal(await failures("enforced"), 5);
});

test("a package that was changed, or a signature that was forged, is refused even under Warn", async () => {
  const config = await newConfig("Warn");
  const { zip } = await signed(trusted);
  const changed = Buffer.from(zip);
  // The same size and checksum do not save it: the name of a file is part of what is signed.
  for (let at = changed.indexOf("lib/more"); at >= 0; at = changed.indexOf("lib/more", at + 1))
    changed.write("lib/less", at);
  const broken = (message: RegExp) => ({ name: "InvalidCodeSignatureException", message });
  await assert.rejects(
    creation("refused", changed, config),
    broken(/It was changed after it had been signed/),
  );
  const forged = Buffer.from(zip);
  const token = /eyJ[\w-]+\.[\w-]+\.([\w-]+)/.exec(forged.toString("latin1"));
  assert.ok(token);
  const text = (token[1] ?? "").startsWith("A") ? "B" : "A";
  const garbled = await zipOf({
    "index.mjs": INDEX,
    "META-INF/lambent-signature.jwt": token[0].replace(/\.[\w-]([\w-]+)$/, `.${text}$1`),
  });
  await assert.rejects(creation("refused", garbled, config), broken(/It was not signed with the key of/));
  const nonsense = await zipOf({ "index.mjs": INDEX, "META-INF/lambent-signature.jwt": "nonsense" });
  await assert.rejects(creation("refused", nonsense, config), broken(/Its signature cannot be read/));
});

test("Warn deploys what is not trusted, counts it, and names no signer; a deployment after Enforce is another matter", async () => {
  const config = await newConfig();
  const { SigningProfileVersionArn, SigningJobArn } = await creation(
    "warned",
    await zipOf({ "index.mjs": INDEX }),
    config,
  );
  assert.deepEqual([SigningProfileVersionArn, SigningJobArn], [undefined, undefined]);
  await setting.updated("warned");
  assert.equal((await setting.invoke("warned")).value, "signed");
  assert.equal(await failures("warned"), 1);
  const update = async (ZipFile: Uint8Array) => {
    await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "warned", ZipFile }));
    await setting.updated("warned");
    return (await describe("warned")).SigningProfileVersionArn;
  };
  const good = await signed(trusted);
  assert.equal(await update(good.zip), trusted.profileVersionArn);
  assert.equal(await update(await zipOf({ "index.mjs": INDEX })), undefined);
  await setting.lambda.send(
    new UpdateCodeSigningConfigCommand({
      CodeSigningConfigArn: config,
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: "Enforce" },
    }),
  );
  await assert.rejects(update(await zipOf({ "index.mjs": ECHO })), {
    name: "CodeVerificationFailedException",
  });
  assert.equal((await setting.invoke("warned")).value, "signed");
});

test("layers of a function that enforces signatures must be signed as well", async () => {
  const config = await newConfig("Enforce");
  await creation("layered", (await signed(trusted)).zip, config);
  await setting.updated("layered");
  const publish = async (LayerName: string, ZipFile: Uint8Array) =>
    (await setting.lambda.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile } })))
      .LayerVersionArn ?? "";
  const plain = await publish("plain", await zipOf({ "a.txt": "a" }));
  const { zip, job } = await signed(trusted, "in a layer");
  const trustedLayer = await publish("trusted", zip);
  const use = (...Layers: string[]) =>
    setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "layered", Layers }));
  await assert.rejects(use(trustedLayer, plain), {
    name: "CodeVerificationFailedException",
    message: /layer:plain:1\. It is not signed/,
  });
  const { Layers } = await use(trustedLayer);
  assert.deepEqual(
    Layers?.map((one) => [one.SigningProfileVersionArn, one.SigningJobArn]),
    [[trusted.profileVersionArn, job]],
  );
  const { Content } = await setting.lambda.send(
    new GetLayerVersionCommand({ LayerName: "trusted", VersionNumber: 1 }),
  );
  assert.deepEqual(
    [Content?.SigningProfileVersionArn, Content?.SigningJobArn],
    [trusted.profileVersionArn, job],
  );
  const refused = setting.lambda.send(
    new CreateFunctionCommand({
      FunctionName: "refused",
      Runtime: RUNTIME,
      Role: setting.role,
      Handler: "index.handler",
      Code: { ZipFile: zip },
      Layers: [plain],
      CodeSigningConfigArn: config,
    }),
  );
  await assert.rejects(refused, { name: "CodeVerificationFailedException" });
});

test("lambent signing-profile and lambent sign: create, list, sign, revoke", async () => {
  const lambent = (...argv: string[]) => {
    const env = { ...process.env, LAMBENT_DATA_DIR: setting.server.dataDir, AWS_REGION: "us-east-1" };
    const done = spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", env, timeout: 60_000 });
    return { code: done.status, stdout: done.stdout.trim(), stderr: done.stderr };
  };
  const [source, target] = [join(folder, "cli.zip"), join(folder, "cli-signed.zip")];
  await writeFile(source, await zipOf({ "index.mjs": INDEX }));
  const arn = lambent("signing-profile", "create", "release").stdout;
  assert.match(arn, /^arn:aws:signer:us-east-1:000000000000:\/signing-profiles\/release\/[0-9a-f]{10}$/);
  const signing = lambent("sign", "--profile", "release", source, target);
  assert.match(signing.stdout, /^arn:aws:signer:\S+:\/signing-jobs\/[0-9a-f-]+$/, signing.stderr);
  const config = await newConfig("Enforce", { AllowedPublishers: { SigningProfileVersionArns: [arn] } });
  const { SigningJobArn } = await creation("by-cli", await readFile(target), config);
  assert.equal(SigningJobArn, signing.stdout);
  assert.match(lambent("sign", "--profile", "release", target, `${target}2`).stderr, /is signed already/);
  await writeFile(source, "no zip");
  assert.match(
    lambent("sign", "--profile", "release", source, target).stderr,
    /is no zip file that can be signed/,
  );
  assert.match(
    lambent("sign", "--profile", "nobody", source, target).stderr,
    /no signing profile nobody here/,
  );
  assert.equal(lambent("sign", source, target).code, 2);
  assert.equal(lambent("signing-profile", "create", "a-b").code, 2);
  assert.match(lambent("signing-profile", "revoke", arn).stdout, /^revoked from 20/);
  assert.match(lambent("signing-profile", "list").stdout, new RegExp(`${arn} {2}revoked from 20`));
});

test("users need what AWS's actions say for configurations of code signing", async () => {
  const CodeSigningConfigArn = await newConfig();
  const FunctionName = await setting.create(ECHO);
  const user = await makeUser(setting.server.client(), "signing", {
    Action: ["lambda:GetCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig"],
    Resource: CodeSigningConfigArn,
  });
  const lambda = new LambdaClient(user.options);
  await lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn }));
  await assert.rejects(
    lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn })),
    /PutFunctionCodeSigningConfig on resource: \S+:function:/,
  );
  await assert.rejects(lambda.send(new ListCodeSigningConfigsCommand({})), /on resource: \*/);
});
