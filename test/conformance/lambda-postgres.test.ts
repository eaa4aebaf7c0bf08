/** Lambda with its state in PostgreSQL: every statement of the service runs there too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetPolicyCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  ListAliasesCommand,
  ListFunctionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";

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
