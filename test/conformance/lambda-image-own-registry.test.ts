/** Functions whose images lie in Lambent's own registry: its names, and who may have them, with authentication off and on. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CreateRepositoryCommand,
  ECRClient,
  GetRepositoryPolicyCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { IAMClient } from "@aws-sdk/client-iam";
import {
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { loginOf, pushBlob, pushManifest, registryOf } from "../harness/ecr.ts";
import type { BuiltImage } from "../harness/image.ts";
import { makeUser } from "../harness/principals.ts";
import { clientOptions, rootOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";
import { beginImage, createImage, imagesMissing, shellImage } from "./image-setting.ts";
import { WAIT, makeRole } from "./lambda-setting.ts";

const OWN = "000000000000";
const OTHER = "111111111111";
const DENIED = /^Lambda does not have permission to access the ECR image\. Check the ECR permissions\./;
const READ = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const MAKE = { Action: ["lambda:*", "iam:PassRole"] };
const ARN = `arn:aws:ecr:us-east-1:${OWN}:repository`;

interface Caller {
  readonly lambda: LambdaClient;
  readonly ecr: ECRClient;
  readonly role: string;
}

describe("images of Lambent's own registry", { skip: imagesMissing ?? false }, () => {
  let dataDir: string;
  let server: Running;
  let port: string;
  /** Of another account, who may make functions. */
  let stranger: ClientOptions;
  /** Another, who may read the first account's repository as well. */
  let reader: ClientOptions;
  const roles: Record<string, string> = {};
  const clients: { destroy(): void }[] = [];

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "lambent-own-registry-"));
    server = await start({ dataDir });
    port = new URL(server.endpoint).port;
    for (const account of [OWN, OTHER]) {
      const iam = keep(new IAMClient(clientOptions(server.endpoint, { account })));
      roles[account] = await makeRole(iam, "execution");
    }
    const others = clientOptions(server.endpoint, { account: OTHER });
    const read = { Action: READ, Resource: `${ARN}/shared` };
    stranger = (await makeUser(others, "stranger", MAKE)).options;
    reader = (await makeUser(others, "reader", MAKE, read)).options;
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  function keep<T extends { destroy(): void }>(client: T): T {
    clients.push(client);
    return client;
  }

  function callerOf(options: ClientOptions, account = OWN): Caller {
    const here = { ...options, endpoint: server.endpoint };
    return {
      lambda: keep(new LambdaClient(here)),
      ecr: keep(new ECRClient(here)),
      role: roles[account] ?? "",
    };
  }

  const rootOf = (account: string, region = "us-east-1") =>
    callerOf(clientOptions(server.endpoint, { account, region }), account);

  async function rootWithKey(): Promise<ClientOptions> {
    return rootOptions(server);
  }

  async function pushTo(
    account: string,
    name: string,
    tag: string,
    image: BuiltImage,
    login: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const registry = registryOf(server.endpoint, login);
    const host = `${account}.dkr.ecr.us-east-1.localhost:${port}`;
    const named: typeof registry = (method, path, more) => registry(method, path, { ...more, host });
    for (const blob of image.blobs) await pushBlob(named, name, blob);
    const { mediaType } = image.manifest;
    const put = await pushManifest(named, name, tag, image.manifest, mediaType);
    assert.equal(put.status, 201, put.body.toString());
  }

  const awsName = (account: string, rest: string, region = "us-east-1") =>
    `${account}.dkr.ecr.${region}.amazonaws.com/${rest}`;

  async function answerOf({ lambda }: Caller, FunctionName: string): Promise<unknown> {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
    return JSON.parse(Payload?.transformToString() ?? "");
  }

  async function policyOf({ ecr }: Caller, repositoryName: string) {
    const { policyText } = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }));
    return (JSON.parse(policyText ?? "{}") as { Statement: { Sid?: string }[] }).Statement;
  }

  const setPolicy = ({ ecr }: Caller, repositoryName: string, ...statements: readonly object[]) =>
    ecr.send(
      new SetRepositoryPolicyCommand({
        repositoryName,
        force: true,
        policyText: JSON.stringify({
          Version: "2012-10-17",
          Statement: statements.map((one) => ({ Effect: "Allow", Action: READ, ...one })),
        }),
      }),
    );

  const deniedTo = (caller: Caller, uri: string, why: RegExp) =>
    assert.rejects(beginImage(caller, uri), ({ name, message }: Error) => {
      assert.equal(name, "AccessDeniedException", message);
      assert.match(message, DENIED);
      assert.match(message, why);
      return true;
    });

  test("CreateFunction and UpdateFunctionCode by each name of the registry, AWS's too; a plain one is the account's own", async () => {
    const own = rootOf(OWN);
    const other = rootOf(OTHER);
    // Large enough to be unpacked in a thread of its own.
    const uris: string[] = [];
    const noise = randomBytes(300_000);
    for (const [caller, account] of [
      [own, OWN],
      [other, OTHER],
    ] as const) {
      const made = await caller.ecr.send(new CreateRepositoryCommand({ repositoryName: "team/app" }));
      uris.push(`${made.repository?.repositoryUri}:v1`);
      await pushTo(account, "team/app", "v1", shellImage(`echo '"${account}"'`, { files: { noise } }));
    }
    const { host } = new URL(server.endpoint);
    const names = [
      uris[0] ?? "",
      `${host}/team/app:v1`,
      `localhost:${port}/team/app:v1`,
      `${OWN}.dkr.ecr.us-east-1.localhost:${port}/team/app:v1`,
      `${OWN}.dkr.ecr.us-east-1.${host}/team/app:v1`,
      awsName(OWN, "team/app:v1"),
    ];
    for (const ImageUri of names) {
      const FunctionName = await createImage(own, ImageUri);
      assert.equal(await answerOf(own, FunctionName), OWN, ImageUri);
      const { Code } = await own.lambda.send(new GetFunctionCommand({ FunctionName }));
      assert.equal(Code?.ImageUri, ImageUri);
      assert.match(Code?.ResolvedImageUri ?? "", /\/team\/app@sha256:[0-9a-f]{64}$/);
    }
    const FunctionName = "plain";
    await createImage(other, `localhost:${port}/team/app:v1`, { FunctionName });
    assert.equal(await answerOf(other, FunctionName), OTHER);
    assert.equal(await answerOf(other, await createImage(other, uris[1] ?? "")), OTHER);
    await pushTo(OTHER, "team/app", "v2", shellImage(`echo '"second"'`));
    const ImageUri = awsName(OTHER, "team/app:v2");
    await other.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri }));
    await waitUntilFunctionUpdatedV2({ client: other.lambda, ...WAIT }, { FunctionName });
    assert.equal(await answerOf(other, FunctionName), "second");
    const back = { FunctionName, ImageUri: `localhost:${port}/team/app:v1` };
    await other.lambda.send(new UpdateFunctionCodeCommand(back));
    await waitUntilFunctionUpdatedV2({ client: other.lambda, ...WAIT }, { FunctionName });
  });

  test("CreateFunction refuses an image that is not there, or in another region", async () => {
    const refused = (caller: Caller, uri: string, message: RegExp) =>
      assert.rejects(beginImage(caller, uri), { name: "InvalidParameterValueException", message });
    await refused(rootOf(OWN), awsName(OWN, "team/app:v9"), /does not exist\. Provide a valid source image/);
    await refused(rootOf(OWN), `localhost:${port}/team/none:v1`, /does not exist\. Provide a valid/);
    const far = rootOf(OWN, "eu-west-1");
    await refused(far, `localhost:${port}/team/app:v1`, /does not exist/);
    await refused(
      far,
      awsName(OWN, "team/app:v1"),
      /is not valid\. Provide a valid source image.*is in us-east-1/,
    );
    await deniedTo(rootOf(OTHER), awsName(OWN, "team/none:v1"), /no policy of .*repository\/team\/none/);
  });

  test("CreateFunction with another account's image: its policy has to allow both the account and Lambda", async () => {
    const own = rootOf(OWN);
    const other = rootOf(OTHER);
    await own.ecr.send(new CreateRepositoryCommand({ repositoryName: "shared" }));
    await pushTo(OWN, "shared", "v1", shellImage(`echo '"shared"'`));
    const uri = awsName(OWN, "shared:v1");
    const account = { Principal: { AWS: `arn:aws:iam::${OTHER}:root` } };
    const lambda = (functions: string) => ({
      Principal: { Service: "lambda.amazonaws.com" },
      Condition: { StringLike: { "aws:sourceARN": `arn:aws:lambda:us-east-1:${functions}` } },
    });
    await deniedTo(other, uri, /ecr:BatchGetImage on resource: .*repository\/shared/);
    await setPolicy(own, "shared", lambda(`${OTHER}:function:*`));
    await deniedTo(other, uri, /ecr:BatchGetImage/);
    await setPolicy(own, "shared", account);
    await deniedTo(
      other,
      uri,
      /to lambda\.amazonaws\.com for arn:aws:lambda:us-east-1:111111111111:function:/,
    );
    await setPolicy(own, "shared", account, lambda(`${OWN}:function:*`));
    await deniedTo(other, uri, /to lambda\.amazonaws\.com/);
    await setPolicy(own, "shared", account, lambda(`${OTHER}:function:*`));
    assert.equal(await answerOf(other, await createImage(other, uri)), "shared");
  });

  test("with authentication on, and after a restart that finds no image kept, functions get theirs as before", async () => {
    await server.stop();
    await rm(join(dataDir, "images"), { recursive: true });
    server = await start({ dataDir, auth: "on" });
    port = new URL(server.endpoint).port;
    // Its plain name had another port then, and means another registry to others.
    assert.equal(await answerOf(callerOf(stranger, OTHER), "plain"), OTHER);
  });

  test("CreateFunction with authentication on: Lambda may read where the policy says so, or the caller may have it say so", async () => {
    const root = callerOf(await rootWithKey());
    const name = "guarded";
    await root.ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
    await pushTo(OWN, name, "v1", shellImage(`echo '"guarded"'`), await loginOf(root.ecr));
    const uri = awsName(OWN, `${name}:v1`);
    const user = await makeUser(await rootWithKey(), "maker", MAKE, { Action: READ });
    const maker = callerOf(user.options);
    await deniedTo(maker, uri, /ecr:GetRepositoryPolicy on resource: .*repository\/guarded/);
    const change = {
      Action: ["ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy"],
      Resource: `${ARN}/${name}`,
    };
    await user.may(MAKE, change);
    const FunctionName = await createImage(maker, uri);
    assert.equal(await answerOf(maker, FunctionName), "guarded");
    assert.deepEqual(await policyOf(root, name), [
      {
        Sid: "LambdaECRImageRetrievalPolicy",
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: READ,
        Condition: { StringLike: { "aws:sourceArn": `arn:aws:lambda:us-east-1:${OWN}:function:*` } },
      },
    ]);
    // From now on nobody who makes functions needs anything of ECR.
    await user.may(MAKE);
    await maker.lambda.send(new DeleteFunctionCommand({ FunctionName }));
    for (const each of [uri, `localhost:${port}/${name}:v1`])
      assert.equal(await answerOf(maker, await createImage(maker, each)), "guarded");

    const other = { Sid: "LambdaECRImageRetrievalPolicy", Principal: { AWS: `arn:aws:iam::${OTHER}:root` } };
    await setPolicy(root, name, other);
    await createImage(root, uri);
    assert.deepEqual(
      (await policyOf(root, name)).map(({ Sid }) => Sid),
      ["LambdaECRImageRetrievalPolicy", undefined],
    );
    await setPolicy(root, name, { Effect: "Deny", Principal: { Service: "lambda.amazonaws.com" } });
    await deniedTo(root, uri, /the policy of .*repository\/guarded denies it to lambda\.amazonaws\.com/);
  });

  test("CreateFunction with authentication on and another account's image: the caller's own policies have to allow it too", async () => {
    const uri = awsName(OWN, "shared:v1");
    await deniedTo(
      callerOf(stranger, OTHER),
      uri,
      /stranger is not authorized to perform: ecr:BatchGetImage/,
    );
    const caller = callerOf(reader, OTHER);
    assert.equal(await answerOf(caller, await createImage(caller, uri)), "shared");
  });
});
