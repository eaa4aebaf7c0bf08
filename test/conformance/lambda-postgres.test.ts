/** Lambda with its state in PostgreSQL: every statement of the service runs there too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  AddLayerVersionPermissionCommand,
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteFunctionUrlConfigCommand,
  DeleteLayerVersionCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionRecursionConfigCommand,
  GetLayerVersionPolicyCommand,
  GetPolicyCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  ListAliasesCommand,
  ListFunctionEventInvokeConfigsCommand,
  ListFunctionUrlConfigsCommand,
  ListFunctionsCommand,
  ListLayerVersionsCommand,
  ListLayersCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { startRegistry } from "../harness/registry.ts";
import { zipOf } from "../harness/zip.ts";
import { createImage, imagesMissing, shellImage } from "./image-setting.ts";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";
import { callUrl } from "./url-caller.ts";

test("functions, versions, aliases, policies, tags and events live in PostgreSQL", async (t) => {
  const missing = postgresMissing();
  if (missing !== undefined) return t.skip(missing);
  const postgres = await startPostgres();
  try {
    const setting = await startSetting({ databaseUrl: await postgres.newDatabase() });
    try {
      const { lambda } = setting;
      const FunctionName = await setting.create(ECHO, { Publish: true, Tags: { a: "b" } });
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 5 }));
      await setting.updated(FunctionName);
      assert.equal((await lambda.send(new PublishVersionCommand({ FunctionName }))).Version, "2");
      const alias = { FunctionName, Name: "live" };
      await lambda.send(new CreateAliasCommand({ ...alias, FunctionVersion: "1" }));
      const RoutingConfig = { AdditionalVersionWeights: { "2": 1 } };
      await lambda.send(new UpdateAliasCommand({ ...alias, RoutingConfig }));
      assert.equal((await setting.invoke(FunctionName, {}, { Qualifier: "live" })).version, "2");
      for (const StatementId of ["one", "two"])
        await lambda.send(
          new AddPermissionCommand({
            FunctionName,
            StatementId,
            Action: "lambda:*",
            Principal: "s3.amazonaws.com",
          }),
        );
      await lambda.send(new RemovePermissionCommand({ FunctionName, StatementId: "one" }));
      assert.match((await lambda.send(new GetPolicyCommand({ FunctionName }))).Policy ?? "", /"Sid":"two"/);
      const Resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}`;
      await lambda.send(new TagResourceCommand({ Resource, Tags: { c: "d" } }));
      assert.deepEqual((await lambda.send(new ListTagsCommand({ Resource }))).Tags, { a: "b", c: "d" });
      const all = await lambda.send(new ListFunctionsCommand({ FunctionVersion: "ALL" }));
      assert.deepEqual(
        all.Functions?.map((one) => one.Version),
        ["$LATEST", "1", "2"],
      );
      const versions = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName, MaxItems: 1 }));
      assert.ok(versions.NextMarker);
      assert.equal((await lambda.send(new ListAliasesCommand({ FunctionName }))).Aliases?.length, 1);
      const event = await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event" }));
      assert.equal(event.StatusCode, 202);
      assert.equal((await lambda.send(new GetAccountSettingsCommand({}))).AccountUsage?.FunctionCount, 1);
      const ReservedConcurrentExecutions = 7;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
      const one = { FunctionName, Qualifier: "1" };
      const ProvisionedConcurrentExecutions = 1;
      await lambda.send(
        new PutProvisionedConcurrencyConfigCommand({ ...one, ProvisionedConcurrentExecutions }),
      );
      const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
      assert.equal(AccountLimit?.UnreservedConcurrentExecutions, 993);
      await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      const free = (await lambda.send(new GetAccountSettingsCommand({}))).AccountLimit;
      assert.equal(free?.UnreservedConcurrentExecutions, 999);
      const provisioned = await lambda.send(new GetProvisionedConcurrencyConfigCommand(one));
      assert.equal(provisioned.RequestedProvisionedConcurrentExecutions, 1);
      await lambda.send(new DeleteProvisionedConcurrencyConfigCommand(one));
      const LayerName = "layer";
      const Content = { ZipFile: await zipOf({ x: "x" }) };
      const CompatibleRuntimes = ["nodejs24.x" as const];
      const { LayerVersionArn = "" } = await lambda.send(
        new PublishLayerVersionCommand({ LayerName, Content, CompatibleRuntimes }),
      );
      const listed = { CompatibleRuntime: CompatibleRuntimes[0], MaxItems: 1 };
      const { Layers } = await lambda.send(new ListLayersCommand(listed));
      assert.equal(Layers?.[0]?.LatestMatchingVersion?.LayerVersionArn, LayerVersionArn);
      const { LayerVersions } = await lambda.send(new ListLayerVersionsCommand({ LayerName, ...listed }));
      assert.equal(LayerVersions?.[0]?.Version, 1);
      const version = { LayerName, VersionNumber: 1 };
      await lambda.send(
        new AddLayerVersionPermissionCommand({
          ...version,
          StatementId: "all",
          Action: "lambda:GetLayerVersion",
          Principal: "*",
        }),
      );
      assert.match(
        (await lambda.send(new GetLayerVersionPolicyCommand(version))).Policy ?? "",
        /"Sid":"all"/,
      );
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Layers: [LayerVersionArn] }));
      await setting.updated(FunctionName);
      assert.equal((await setting.invoke(FunctionName)).error, undefined);
      await lambda.send(new DeleteLayerVersionCommand(version));
      const { FunctionUrl = "" } = await lambda.send(
        new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE", Cors: { AllowOrigins: ["*"] } }),
      );
      assert.equal((await callUrl(FunctionUrl)).status, 403);
      const urls = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName }));
      assert.deepEqual(urls.FunctionUrlConfigs?.[0]?.Cors, { AllowOrigins: ["*"] });
      await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName }));
      await lambda.send(new DeleteAliasCommand(alias));
      await lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: "1" }));
      await lambda.send(new DeleteFunctionCommand({ FunctionName }));
      assert.deepEqual((await lambda.send(new ListFunctionsCommand({}))).Functions, []);
    } finally {
      await setting.server.stop();
    }
  } finally {
    await postgres.stop();
  }
});

test("configurations of asynchronous invocation and the way of an event to its destination live in PostgreSQL", async (t) => {
  const missing = postgresMissing();
  if (missing !== undefined) return t.skip(missing);
  const postgres = await startPostgres();
  try {
    const databaseUrl = await postgres.newDatabase();
    const setting = await startSetting({ databaseUrl, logLevel: "error" });
    try {
      const { lambda, iam, server } = setting;
      const Statement = [{ Effect: "Allow", Action: "s3:*", Resource: "*" }];
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await iam.send(
        new PutRolePolicyCommand({ RoleName: "execution", PolicyName: "records", PolicyDocument }),
      );
      const s3 = new S3Client(server.client());
      await s3.send(new CreateBucketCommand({ Bucket: "failed-events" }));
      const FunctionName = await setting.create(`export const handler = async () => { throw new Error(); };`);
      const OnFailure = { Destination: "arn:aws:s3:::failed-events" };
      const configuration = { FunctionName, MaximumRetryAttempts: 0, DestinationConfig: { OnFailure } };
      await lambda.send(new PutFunctionEventInvokeConfigCommand(configuration));
      await lambda.send(
        new UpdateFunctionEventInvokeConfigCommand({ FunctionName, MaximumEventAgeInSeconds: 60 }),
      );
      const { FunctionEventInvokeConfigs: [kept] = [] } = await lambda.send(
        new ListFunctionEventInvokeConfigsCommand({ FunctionName }),
      );
      assert.equal(kept?.MaximumEventAgeInSeconds, 60);
      assert.deepEqual(kept.DestinationConfig?.OnFailure, OnFailure);
      await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: "Allow" }));
      const recursion = await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }));
      assert.equal(recursion.RecursiveLoop, "Allow");
      await Promise.all(
        Array.from({ length: 20 }, () =>
          lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event" })),
        ),
      );
      const objects = async () =>
        (await s3.send(new ListObjectsV2Command({ Bucket: "failed-events" }))).KeyCount ?? 0;
      for (let tries = 0; (await objects()) < 20; tries++) {
        assert.ok(tries < 600, "not every failed event reached its destination");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.equal(await objects(), 20);
      await lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName }));
      if (imagesMissing === undefined) await functionsFromImages(setting);
    } finally {
      await setting.server.stop();
    }
  } finally {
    await postgres.stop();
  }
});

/** Digests of images and who needs them are rows too. */
async function functionsFromImages(setting: Setting): Promise<void> {
  const registry = await startRegistry();
  try {
    const [first, second] = ["1", "2"].map((answer) =>
      registry.put("team/app", `v${answer}`, shellImage(`echo ${answer}`)),
    );
    const FunctionName = await createImage(setting, first ?? "", { Publish: true });
    await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri: second ?? "" }));
    await setting.updated(FunctionName);
    assert.equal((await setting.invoke(FunctionName)).value, 2);
    assert.equal((await setting.invoke(FunctionName, {}, { Qualifier: "1" })).value, 1);
    await setting.lambda.send(new DeleteFunctionCommand({ FunctionName }));
  } finally {
    await registry.close();
  }
}
