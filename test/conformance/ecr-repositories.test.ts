/** Repositories of ECR by the SDK: their life, mutability of tags, tags, policies and lifecycle policies. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DeleteLifecyclePolicyCommand,
  DeleteRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeImagesCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAccountSettingCommand,
  GetAuthorizationTokenCommand,
  GetLifecyclePolicyCommand,
  GetLifecyclePolicyPreviewCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
  PutAccountSettingCommand,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
  StartLifecyclePolicyPreviewCommand,
  TagResourceCommand,
  UntagResourceCommand,
  paginateDescribeRepositories,
} from "@aws-sdk/client-ecr";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import {
  OCI_IMAGE,
  descriptor,
  makeImage,
  pushBlob,
  pushImage,
  pushManifest,
  refused,
  registryOf,
  startEcr,
} from "../harness/ecr.ts";
import type { EcrServer, Registry } from "../harness/ecr.ts";

const clock = new MovableClock();
const DAY_MS = 24 * 3_600_000;
let server: EcrServer;
let registry: Registry;
let ecr: ECRClient;

before(async () => {
  server = await startEcr({ clock });
  registry = registryOf(server.endpoint);
  ecr = server.ecr;
});
after(() => server.stop());

test("CreateRepository, DescribeRepositories and DeleteRepository", async () => {
  const repositoryName = "app/front";
  const { host } = new URL(server.endpoint);
  const made = await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  const { createdAt, ...rest } = made.repository ?? {};
  assert.ok(createdAt instanceof Date);
  assert.deepEqual(rest, {
    repositoryArn: "arn:aws:ecr:us-east-1:000000000000:repository/app/front",
    registryId: "000000000000",
    repositoryName,
    repositoryUri: `${host}/app/front`,
    imageTagMutability: "MUTABLE",
    imageScanningConfiguration: { scanOnPush: false },
  });
  await refused(
    ecr.send(new CreateRepositoryCommand({ repositoryName })),
    "RepositoryAlreadyExistsException",
    /^The repository with name 'app\/front' already exists in the registry with id '000000000000'$/,
  );
  const described = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
  assert.deepEqual(described.repositories, [made.repository]);
  await pushImage(registry, repositoryName, "v1", makeImage());
  await refused(
    ecr.send(new DeleteRepositoryCommand({ repositoryName })),
    "RepositoryNotEmptyException",
    /in registry with id '000000000000' cannot be deleted because it still contains images$/,
  );
  const deleted = await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
  assert.equal(deleted.repository?.repositoryName, repositoryName);
  await refused(
    ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] })),
    "RepositoryNotFoundException",
    /^The repository with name 'app\/front' does not exist in the registry with id '000000000000'$/,
  );
  await refused(ecr.send(new DeleteRepositoryCommand({ repositoryName })), "RepositoryNotFoundException");
});

test("DescribeRepositories tells the caller's own, in pages", async () => {
  const mine = new ECRClient(server.client({ account: "222222222222" }));
  const names = ["p1", "p2", "p3", "p4", "p5"];
  for (const repositoryName of names) await mine.send(new CreateRepositoryCommand({ repositoryName }));
  const seen: (string | undefined)[] = [];
  let pages = 0;
  for await (const page of paginateDescribeRepositories({ client: mine, pageSize: 2 }, {})) {
    pages++;
    seen.push(...(page.repositories ?? []).map((one) => one.repositoryName));
  }
  assert.deepEqual(seen, names);
  assert.equal(pages, 3);
  await refused(
    mine.send(new DescribeRepositoriesCommand({ nextToken: "nonsense" })),
    "InvalidParameterException",
    /NextToken/,
  );
  await refused(
    mine.send(new DescribeRepositoriesCommand({ repositoryNames: ["p1"], maxResults: 1 })),
    "InvalidParameterException",
  );
  mine.destroy();
});

test("CreateRepository refuses names, tags and settings by name", async () => {
  const create = (input: object) =>
    ecr.send(new CreateRepositoryCommand({ repositoryName: "refused", ...input }));
  await refused(create({ repositoryName: "Upper" }), "InvalidParameterException", /repositoryName/);
  await refused(create({ imageTagMutability: "SOMETIMES" }), "InvalidParameterException");
  await refused(create({ tags: [{ Key: "aws:mine", Value: "" }] }), "InvalidTagParameterException");
  const many = Array.from({ length: 51 }, (_, at) => ({ Key: `k${at}`, Value: "" }));
  await refused(create({ tags: many }), "TooManyTagsException");
  await refused(create({ registryId: "333333333333" }), "InvalidParameterException");
  await refused(create({ imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" }), "InvalidParameterException");
  const scan = { imageScanningConfiguration: { scanOnPush: true } };
  await refused(create(scan), "NotImplemented", /scanOnPush of CreateRepository/, 501);
  const kms = { encryptionConfiguration: { encryptionType: "KMS" } };
  await refused(create(kms), "NotImplemented", /encryptionConfiguration of CreateRepository/, 501);
  await refused(
    ecr.send(
      new PutImageScanningConfigurationCommand({
        repositoryName: "refused",
        imageScanningConfiguration: { scanOnPush: false },
      }),
    ),
    "NotImplemented",
    /PutImageScanningConfiguration/,
    501,
  );
  await refused(
    ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["refused"] })),
    "RepositoryNotFoundException",
  );
});

test("PutImageTagMutability keeps tags where they are, but for its exclusions", async () => {
  const repositoryName = await server.repository();
  const [one, two] = [makeImage(), makeImage()];
  for (const image of [one, two])
    for (const layer of [image.config, ...image.layers]) await pushBlob(registry, repositoryName, layer);
  const push = async (tag: string, { manifest }: typeof one) => {
    const { status, error } = await pushManifest(registry, repositoryName, tag, manifest, OCI_IMAGE);
    return status === 201 ? "pushed" : `${status} ${error?.code} ${error?.message}`;
  };
  for (const tag of ["v1", "latest"]) assert.equal(await push(tag, one), "pushed");
  const set = await ecr.send(
    new PutImageTagMutabilityCommand({
      repositoryName,
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "lat*" }],
    }),
  );
  assert.equal(set.imageTagMutability, "IMMUTABLE_WITH_EXCLUSION");
  const { repositories } = await ecr.send(
    new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }),
  );
  assert.deepEqual(repositories?.[0]?.imageTagMutabilityExclusionFilters, [
    { filterType: "WILDCARD", filter: "lat*" },
  ]);
  assert.equal(
    await push("v1", two),
    `400 TAG_INVALID The image tag 'v1' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
  );
  assert.equal(await push("v1", one), "pushed", "the same again");
  assert.equal(await push("latest", two), "pushed");
  await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: "MUTABLE" }));
  assert.equal(await push("v1", two), "pushed");
  await refused(
    ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "MUTABLE",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "v*" }],
      }),
    ),
    "InvalidParameterException",
  );
});

test("TagResource, UntagResource and ListTagsForResource", async () => {
  const repositoryName = "tagged";
  const tags = [{ Key: "team", Value: "one" }];
  const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName, tags }));
  const resourceArn = repository?.repositoryArn ?? "";
  await ecr.send(
    new TagResourceCommand({
      resourceArn,
      tags: [
        { Key: "stage", Value: "dev" },
        { Key: "team", Value: "two" },
      ],
    }),
  );
  const list = async () => (await ecr.send(new ListTagsForResourceCommand({ resourceArn }))).tags;
  assert.deepEqual(await list(), [
    { Key: "team", Value: "two" },
    { Key: "stage", Value: "dev" },
  ]);
  await ecr.send(new UntagResourceCommand({ resourceArn, tagKeys: ["team", "none"] }));
  assert.deepEqual(await list(), [{ Key: "stage", Value: "dev" }]);
  await refused(
    ecr.send(new ListTagsForResourceCommand({ resourceArn: "arn:aws:s3:::bucket" })),
    "InvalidParameterException",
  );
  await refused(
    ecr.send(new ListTagsForResourceCommand({ resourceArn: resourceArn.replace("us-east-1", "eu-west-1") })),
    "InvalidParameterException",
    /another region/,
  );
  await refused(
    ecr.send(new ListTagsForResourceCommand({ resourceArn: `${resourceArn}-ghost` })),
    "RepositoryNotFoundException",
  );
});

test("SetRepositoryPolicy, GetRepositoryPolicy and DeleteRepositoryPolicy", async () => {
  const repositoryName = await server.repository();
  const named = { repositoryName };
  await refused(
    ecr.send(new GetRepositoryPolicyCommand(named)),
    "RepositoryPolicyNotFoundException",
    /^Repository policy does not exist for the repository with name/,
  );
  const policyOf = (statement: object) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: "*", Action: "ecr:BatchGetImage", ...statement }],
    });
  const policyText = policyOf({ Principal: { Service: "lambda.amazonaws.com" } });
  const set = await ecr.send(new SetRepositoryPolicyCommand({ ...named, policyText }));
  assert.equal(set.policyText, policyText);
  assert.equal((await ecr.send(new GetRepositoryPolicyCommand(named))).policyText, policyText);
  for (const wrong of ["{}", "text", policyOf({ Resource: "*" }), policyOf({ Principal: undefined })])
    await refused(
      ecr.send(new SetRepositoryPolicyCommand({ ...named, policyText: wrong })),
      "InvalidParameterException",
      /^Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided/,
    );
  const lockedOut = policyOf({ Effect: "Deny", Action: "ecr:SetRepositoryPolicy" });
  await refused(
    ecr.send(new SetRepositoryPolicyCommand({ ...named, policyText: lockedOut })),
    "InvalidParameterException",
    /force/,
  );
  await ecr.send(new SetRepositoryPolicyCommand({ ...named, policyText: lockedOut, force: true }));
  await refused(
    ecr.send(new SetRepositoryPolicyCommand({ ...named, policyText })),
    "AccessDeniedException",
    /is not authorized to perform: ecr:SetRepositoryPolicy on resource: .* with an explicit deny in a resource-based policy$/,
  );
  const deleted = await ecr.send(new DeleteRepositoryPolicyCommand(named));
  assert.equal(deleted.policyText, lockedOut);
  await refused(ecr.send(new DeleteRepositoryPolicyCommand(named)), "RepositoryPolicyNotFoundException");
});

const keepOne = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      description: "keeps the newest release and nothing else, whatever it is",
      selection: {
        tagStatus: "tagged",
        tagPrefixList: ["v"],
        countType: "imageCountMoreThan",
        countNumber: 1,
      },
      action: { type: "expire" },
    },
  ],
});

test("StartLifecyclePolicyPreview and GetLifecyclePolicyPreview tell what a policy would expire", async () => {
  const repositoryName = await server.repository();
  const named = { repositoryName };
  const images = [makeImage(), makeImage(), makeImage()];
  for (const [at, image] of images.entries()) {
    await pushImage(registry, repositoryName, `v${at}`, image);
    await clock.advance(1_000);
  }
  await refused(
    ecr.send(new GetLifecyclePolicyPreviewCommand(named)),
    "LifecyclePolicyPreviewNotFoundException",
  );
  await refused(ecr.send(new StartLifecyclePolicyPreviewCommand(named)), "LifecyclePolicyNotFoundException");
  await ecr.send(new StartLifecyclePolicyPreviewCommand({ ...named, lifecyclePolicyText: keepOne }));
  const preview = await ecr.send(new GetLifecyclePolicyPreviewCommand(named));
  assert.equal(preview.status, "COMPLETE");
  assert.equal(preview.summary?.expiringImageTotalCount, 2);
  assert.deepEqual(
    preview.previewResults?.map((one) => [one.imageTags, one.action?.type, one.appliedRulePriority]),
    [
      [["v1"], "EXPIRE", 1],
      [["v0"], "EXPIRE", 1],
    ],
  );
  const first = await ecr.send(new GetLifecyclePolicyPreviewCommand({ ...named, maxResults: 1 }));
  assert.equal(first.previewResults?.length, 1);
  const { nextToken } = first;
  const second = await ecr.send(new GetLifecyclePolicyPreviewCommand({ ...named, maxResults: 1, nextToken }));
  assert.deepEqual([second.previewResults?.[0]?.imageTags, second.nextToken], [["v0"], undefined]);
  const one = await ecr.send(
    new GetLifecyclePolicyPreviewCommand({ ...named, imageIds: [{ imageTag: "v0" }] }),
  );
  assert.equal(one.previewResults?.length, 1);
  const { imageDetails } = await ecr.send(new DescribeImagesCommand(named));
  assert.equal(imageDetails?.length, 3, "a preview removes nothing");
});

test("PutLifecyclePolicy expires images; GetLifecyclePolicy and DeleteLifecyclePolicy; layers that none needs go", async () => {
  const repositoryName = await server.repository();
  const named = { repositoryName };
  const [old, young] = [makeImage(), makeImage()];
  await pushImage(registry, repositoryName, "v1", old);
  await clock.advance(1_000);
  await pushImage(registry, repositoryName, "v2", young);
  for (const { manifest } of [old, young]) {
    const signature = makeImage({ layers: 0, more: { subject: descriptor(manifest, OCI_IMAGE) } });
    await pushImage(registry, repositoryName, signature.manifest.digest, signature);
  }
  await refused(ecr.send(new GetLifecyclePolicyCommand(named)), "LifecyclePolicyNotFoundException");
  await refused(
    ecr.send(
      new PutLifecyclePolicyCommand({ ...named, lifecyclePolicyText: keepOne.replace("rulePriority", "x") }),
    ),
    "InvalidParameterException",
    /Lifecycle policy validation failure: object has missing required properties/,
  );
  await refused(
    ecr.send(
      new PutLifecyclePolicyCommand({
        ...named,
        lifecyclePolicyText: keepOne.replace("expire", "transition"),
      }),
    ),
    "NotImplemented",
    /storage class archive/,
    501,
  );
  await ecr.send(new PutLifecyclePolicyCommand({ ...named, lifecyclePolicyText: keepOne }));
  const tags = async () => {
    const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand(named));
    return imageDetails.flatMap((one) => one.imageTags ?? []);
  };
  await until(async () => (await tags()).join() === "v2");
  const got = await ecr.send(new GetLifecyclePolicyCommand(named));
  assert.equal(got.lifecyclePolicyText, keepOne);
  assert.ok(got.lastEvaluatedAt instanceof Date);

  const [layer] = old.layers;
  const layerStatus = async () =>
    (await registry("HEAD", `/v2/${repositoryName}/blobs/${layer?.digest}`)).status;
  assert.equal(await layerStatus(), 200, "a push may rely on it still");
  await clock.advance(DAY_MS + 3_600_000);
  await until(async () => (await layerStatus()) === 404);
  const left = async () => (await ecr.send(new DescribeImagesCommand(named))).imageDetails ?? [];
  await until(async () => (await left()).length === 2);
  const [subject] = (await left()).flatMap((one) => one.subjectManifestDigest ?? []);
  assert.equal(subject, young.manifest.digest, "what is about an image goes with it");
  assert.equal((await registry("GET", `/v2/${repositoryName}/blobs/${young.layers[0]?.digest}`)).status, 200);

  const deleted = await ecr.send(new DeleteLifecyclePolicyCommand(named));
  assert.equal(deleted.lifecyclePolicyText, keepOne);
  await refused(ecr.send(new DeleteLifecyclePolicyCommand(named)), "LifecyclePolicyNotFoundException");
});

test("a layer that BatchDeleteImage leaves without an image stays while pushes are told that it is there", async () => {
  const repositoryName = await server.repository();
  const image = makeImage({ layers: 1 });
  await pushImage(registry, repositoryName, "v1", image);
  await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "v1" }] }));
  const path = `/v2/${repositoryName}/blobs/${image.layers[0]?.digest}`;
  const hours = (count: number) => clock.advance(count * 3_600_000);
  for (let round = 0; round < 3; round++) {
    await hours(0.6);
    assert.equal((await registry("HEAD", path)).status, 200);
  }
  await pushImage(registry, repositoryName, "v2", image);
  await hours(48);
  assert.equal((await registry("GET", path)).status, 200);
});

test("GetAuthorizationToken, DescribeRegistry, GetAccountSetting and PutAccountSetting", async () => {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [data] = authorizationData ?? [];
  assert.equal(data?.proxyEndpoint, server.endpoint);
  const [user, password] = Buffer.from(data?.authorizationToken ?? "", "base64")
    .toString()
    .split(":");
  assert.equal(user, "AWS");
  assert.ok((password ?? "").length > 40);
  assert.ok(Math.abs((data?.expiresAt?.getTime() ?? 0) - clock.now() - DAY_MS / 2) < 60_000);
  const described = await ecr.send(new DescribeRegistryCommand({}));
  assert.deepEqual(described.replicationConfiguration, { rules: [] });
  const name = "BLOB_MOUNTING";
  const setting = async () => (await ecr.send(new GetAccountSettingCommand({ name }))).value;
  assert.equal(await setting(), "DISABLED");
  await ecr.send(new PutAccountSettingCommand({ name, value: "ENABLED" }));
  assert.equal(await setting(), "ENABLED");
  await refused(
    ecr.send(new PutAccountSettingCommand({ name, value: "PERHAPS" })),
    "InvalidParameterException",
  );
  await refused(ecr.send(new GetAccountSettingCommand({ name: "NONE" })), "InvalidParameterException");
  await refused(
    ecr.send(new GetAccountSettingCommand({ name: "REGISTRY_POLICY_SCOPE" })),
    "NotImplemented",
    /REGISTRY_POLICY_SCOPE/,
    501,
  );
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await holds()); attempt++) {
    assert.ok(attempt < 400, "it did not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
