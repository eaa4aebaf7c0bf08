/** Who may push and pull: tokens of users and roles, their policies, and repositories' own; with authentication on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  ListImagesCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { DeleteAccessKeyCommand, IAMClient } from "@aws-sdk/client-iam";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import {
  OCI_IMAGE,
  loginOf,
  makeImage,
  pushBlob,
  pushImage,
  pushManifest,
  refused,
  registryOf,
  startEcr,
} from "../harness/ecr.ts";
import type { Registry } from "../harness/ecr.ts";
import { assumeNewRole, makeUser } from "../harness/principals.ts";
import { rootOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";

const HOUR_MS = 3_600_000;
const ARN = "arn:aws:ecr:us-east-1:000000000000:repository";
const PUSH = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:InitiateLayerUpload",
  "ecr:UploadLayerPart",
  "ecr:CompleteLayerUpload",
  "ecr:PutImage",
];
const clock = new MovableClock();
let server: Running;
let root: ClientOptions;
let ecr: ECRClient;
const clients: ECRClient[] = [];

before(async () => {
  server = await start({ auth: "on", sandbox: "process", clock });
  root = await rootOptions(server);
  ecr = clientOf(root);
  for (const repositoryName of ["mine", "other"])
    await ecr.send(
      new CreateRepositoryCommand({ repositoryName, tags: [{ Key: "team", Value: repositoryName }] }),
    );
});
after(async () => {
  for (const client of clients) client.destroy();
  await server.stop();
});

function clientOf(options: ClientOptions): ECRClient {
  const client = new ECRClient(options);
  clients.push(client);
  return client;
}

/** The registry as a caller with a token sees it. */
async function registryFor(options: ClientOptions): Promise<Registry> {
  return registryOf(server.endpoint, await loginOf(clientOf(options)));
}

test("without a token, and with none of ours, the registry asks for one", async () => {
  const anyone = registryOf(server.endpoint);
  const { port } = new URL(server.endpoint);
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  const genuine = (await loginOf(ecr)).authorization.replace("Basic ", "");
  const password = Buffer.from(genuine, "base64").toString().slice("AWS:".length);
  const forged = password.replace(/\.(.)/, (_, first) => (first === "A" ? ".B" : ".A"));
  for (const headers of [
    {},
    basic("AWS:password"),
    basic(`someone:${password}`),
    basic(`AWS:${forged}`),
    { authorization: "Bearer token" },
  ]) {
    const answer = await anyone("GET", "/v2/", { headers });
    assert.deepEqual([answer.status, answer.error?.code], [401, "UNAUTHORIZED"]);
    assert.equal(
      answer.headers["www-authenticate"],
      `Basic realm="http://127.0.0.1:${port}/",service="ecr.amazonaws.com"`,
    );
  }
  assert.equal((await anyone("GET", "/v2/", { headers: basic(`AWS:${password}`) })).status, 200);
});

test("a user pushes and pulls where their policies let them, by the actions of the API", async () => {
  const user = await makeUser(root, "pusher", { Action: "ecr:GetAuthorizationToken" });
  const registry = await registryFor(user.options);
  const image = makeImage();
  assert.equal((await registry("GET", "/v2/")).status, 200);
  const denied = await registry("POST", "/v2/mine/blobs/uploads/");
  assert.deepEqual([denied.status, denied.error?.code], [403, "DENIED"]);
  assert.equal(
    denied.error?.message,
    `User: ${user.arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: ${ARN}/mine because no identity-based policy allows the ecr:InitiateLayerUpload action`,
  );
  const unseen = await registry("GET", "/v2/ghost/tags/list");
  assert.equal(unseen.status, 403, "names are not told to those who may not see them");
  await user.may({ Action: PUSH, Resource: `${ARN}/mine` });
  await pushImage(registry, "mine", "v1", image);
  assert.equal((await registry("POST", "/v2/other/blobs/uploads/")).status, 403);
  const status = async (method: string, path: string) => (await registry(method, `/v2/mine/${path}`)).status;
  assert.equal(await status("GET", "manifests/v1"), 403);
  assert.equal(await status("HEAD", `blobs/${image.config.digest}`), 200);
  assert.equal(await status("GET", `blobs/${image.config.digest}`), 403);
  assert.equal(await status("GET", "tags/list"), 403);
  await user.may({ Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"] });
  assert.equal(await status("GET", "manifests/v1"), 200);
  assert.equal(await status("HEAD", `blobs/${image.config.digest}`), 200);
  assert.equal(await status("GET", `blobs/${image.config.digest}`), 200);
  assert.equal(await status("GET", "tags/list"), 200);
  assert.equal(await status("DELETE", "manifests/v1"), 403);
  assert.equal((await registry("GET", "/v2/_catalog")).status, 403);
  assert.equal(await status("POST", "blobs/uploads/"), 403);
});

test("tags of repositories are conditions: aws:ResourceTag and ecr:ResourceTag", async () => {
  for (const key of ["aws:ResourceTag/team", "ecr:ResourceTag/team"]) {
    const user = await makeUser(
      root,
      `by-tag-${key.slice(0, 3)}`,
      { Action: "ecr:GetAuthorizationToken" },
      { Action: "ecr:ListImages", Condition: { StringEquals: { [key]: "mine" } } },
    );
    const client = clientOf(user.options);
    await client.send(new ListImagesCommand({ repositoryName: "mine" }));
    await refused(client.send(new ListImagesCommand({ repositoryName: "other" })), "AccessDeniedException");
    const registry = await registryFor(user.options);
    assert.equal((await registry("GET", "/v2/mine/tags/list")).status, 200);
    assert.equal((await registry("GET", "/v2/other/tags/list")).status, 403);
  }
});

test("a repository's policy lets a user in who has none of their own, and keeps out whom it denies", async () => {
  const user = await makeUser(root, "guest", { Action: "ecr:GetAuthorizationToken" });
  const registry = await registryFor(user.options);
  const list = async () => (await registry("GET", "/v2/other/tags/list")).status;
  assert.equal(await list(), 403);
  const set = (statement: object) =>
    ecr.send(
      new SetRepositoryPolicyCommand({
        repositoryName: "other",
        policyText: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "ecr:ListImages", ...statement }],
        }),
      }),
    );
  await set({ Principal: { AWS: user.arn } });
  assert.equal(await list(), 200);
  await clientOf(user.options).send(new ListImagesCommand({ repositoryName: "other" }));
  await set({ Principal: { AWS: user.arn }, Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } });
  assert.equal(await list(), 403, "the condition does not hold");
  await set({ Principal: { AWS: "000000000000" } });
  assert.equal(await list(), 403, "the account alone lets nobody in");
  await user.may({ Action: "ecr:ListImages" });
  assert.equal(await list(), 200);
  await set({ Effect: "Deny", Principal: { AWS: user.arn } });
  const denied = await registry("GET", "/v2/other/tags/list");
  assert.match(denied.error?.message ?? "", /with an explicit deny in a resource-based policy$/);
  await refused(
    clientOf(user.options).send(new ListImagesCommand({ repositoryName: "other" })),
    "AccessDeniedException",
    /explicit deny in a resource-based policy/,
  );
});

test("another account pulls what a repository's policy lets it, by API and registry", async () => {
  // Without authentication every account has its root, by its number as an access key id.
  const open = await startEcr();
  const [mine, theirs] = ["111111111111", "222222222222"].map(
    (account) => new ECRClient(open.client({ account })),
  ) as [ECRClient, ECRClient];
  try {
    const repositoryName = "shared";
    await mine.send(new CreateRepositoryCommand({ repositoryName }));
    const host = `111111111111.dkr.ecr.us-east-1.localhost:${new URL(open.endpoint).port}`;
    await pushImage(registryOf(open.endpoint, { host }), repositoryName, "v1", makeImage());
    const registry = registryOf(open.endpoint, { host, ...(await loginOf(theirs)) });
    const pull = async () => (await registry("GET", "/v2/shared/manifests/v1")).status;
    const describe = () =>
      theirs.send(new DescribeImagesCommand({ registryId: "111111111111", repositoryName }));
    assert.equal(await pull(), 403);
    await refused(describe(), "AccessDeniedException", /because no resource-based policy allows/);
    await refused(
      theirs.send(new DescribeRepositoriesCommand({ registryId: "111111111111" })),
      "AccessDeniedException",
    );
    const Statement = [
      {
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::222222222222:root" },
        Action: ["ecr:BatchGetImage", "ecr:DescribeImages"],
      },
    ];
    await mine.send(
      new SetRepositoryPolicyCommand({
        repositoryName,
        policyText: JSON.stringify({ Version: "2012-10-17", Statement }),
      }),
    );
    assert.equal(await pull(), 200);
    assert.equal((await describe()).imageDetails?.length, 1);
    const image = makeImage();
    await assert.rejects(pushBlob(registry, repositoryName, image.config), /ecr:InitiateLayerUpload/);
    const put = await pushManifest(registry, repositoryName, "v2", image.manifest, OCI_IMAGE);
    assert.equal(put.status, 403);
  } finally {
    mine.destroy();
    theirs.destroy();
    await open.stop();
  }
});

test("a token lasts twelve hours, and not beyond the access key or the session that it stands for", async () => {
  const user = await makeUser(root, "short-lived", { Action: "ecr:*" });
  const users = await registryFor(user.options);
  assert.equal((await users("GET", "/v2/mine/tags/list")).status, 200);
  const iam = new IAMClient(root);
  const { accessKeyId: AccessKeyId } = user.options.credentials;
  await iam.send(new DeleteAccessKeyCommand({ UserName: "short-lived", AccessKeyId }));
  iam.destroy();
  const gone = await users("GET", "/v2/mine/tags/list");
  assert.deepEqual([gone.status, gone.error?.code], [401, "UNAUTHORIZED"]);

  const session = clientOf(await assumeNewRole(root, "deployer", [{ Action: "ecr:*" }]));
  const { authorizationData } = await session.send(new GetAuthorizationTokenCommand({}));
  const ends = authorizationData?.[0]?.expiresAt?.getTime() ?? 0;
  assert.ok(Math.abs(ends - clock.now() - HOUR_MS) < 60_000);
  const sessions = registryOf(server.endpoint, await loginOf(session));
  await pushImage(sessions, "mine", "by-role", makeImage());
  const roots = await registryFor(root);
  await clock.advance(HOUR_MS + 1_000);
  const late = await sessions("GET", "/v2/");
  assert.equal(late.status, 403);
  assert.equal(late.error?.message, "Your authorization token has expired. Reauthenticate and try again.");
  await clock.advance(10 * HOUR_MS);
  assert.equal((await roots("GET", "/v2/")).status, 200);
  await clock.advance(HOUR_MS);
  assert.equal((await roots("GET", "/v2/")).status, 403);
});
