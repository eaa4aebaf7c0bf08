/** ECR tells EventBridge of images that are pushed and deleted, by the registry and by its API. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BatchDeleteImageCommand, CreateRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import { makeImage, pushImage, registryOf } from "../harness/ecr.ts";
import { startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";

let setting: EventSetting;
let ecr: ECRClient;
before(async () => {
  setting = await startEvents();
  ecr = new ECRClient(setting.server.client());
});
after(async () => {
  ecr.destroy();
  await setting.stop();
});

test("a push and a deletion by BatchDeleteImage or the registry are events in AWS's shape, for each tag, and nothing else is", async () => {
  const queue = await setting.queue();
  const EventPattern = '{"source":["aws.ecr"],"detail-type":["ECR Image Action"]}';
  await setting.rule({ EventPattern }, { Arn: queue.arn });
  const repositoryName = "team/app";
  await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  const registry = registryOf(setting.server.endpoint);
  const image = makeImage();
  const { digest } = image.manifest;
  for (const tag of ["v1", "v1", "v2", "v3"]) await pushImage(registry, repositoryName, tag, image);
  await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "v3" }] }));
  await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "ghost" }] }));
  await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: digest }] }));
  const told = (await queue.bodies()).map((body) => JSON.parse(body) as Record<string, unknown>);
  const { id: _, time: __, ...first } = told[0] ?? {};
  assert.deepEqual(first, {
    version: "0",
    "detail-type": "ECR Image Action",
    source: "aws.ecr",
    account: "000000000000",
    region: "us-east-1",
    resources: [],
    detail: {
      result: "SUCCESS",
      "repository-name": repositoryName,
      "image-digest": digest,
      "action-type": "PUSH",
      "image-tag": "v1",
    },
  });
  const actions = told.map(({ detail }) => {
    const facts = detail as Record<string, string>;
    return `${facts["action-type"]} ${facts["image-tag"]}`;
  });
  assert.deepEqual(actions, ["PUSH v1", "PUSH v2", "PUSH v3", "DELETE v3", "DELETE v1", "DELETE v2"]);
});
