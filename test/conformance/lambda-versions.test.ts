/** Versions and aliases. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, ECHO, WAIT, makeRole, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

const answering = (text: string) => `export const handler = async () => "${text}";`;

/** A function with versions 1 and 2, which answer "1" and "2". */
async function twoVersions(): Promise<string> {
  const FunctionName = await setting.create(answering("1"), { Publish: true });
  await setting.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf({ "index.mjs": answering("2") }) }),
  );
  await setting.updated(FunctionName);
  const { Version } = await setting.lambda.send(new PublishVersionCommand({ FunctionName }));
  assert.equal(Version, "2");
  return FunctionName;
}

test("PublishVersion makes an immutable version, and none when nothing changed", async () => {
  const FunctionName = await setting.create(answering("one"));
  const first = await setting.lambda.send(
    new PublishVersionCommand({ FunctionName, Description: "the first" }),
  );
  assert.equal(first.$metadata.httpStatusCode, 201);
  assert.deepEqual([first.Version, first.Description], ["1", "the first"]);
  assert.equal(first.FunctionArn, `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:1`);
  await waitUntilPublishedVersionActive(
    { client: setting.lambda, ...WAIT },
    { FunctionName, Qualifier: "1" },
  );
  const again = await setting.lambda.send(new PublishVersionCommand({ FunctionName, Description: "again" }));
  assert.deepEqual([again.Version, again.Description], ["1", "the first"]);
  await setting.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf({ "index.mjs": answering("two") }) }),
  );
  await setting.updated(FunctionName);
  assert.equal((await setting.lambda.send(new PublishVersionCommand({ FunctionName }))).Version, "2");
  await setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 7 }));
  await setting.updated(FunctionName);
  assert.equal((await setting.lambda.send(new PublishVersionCommand({ FunctionName }))).Version, "3");
  const values = [];
  for (const Qualifier of ["1", "2", "3", "$LATEST"])
    values.push([(await setting.invoke(FunctionName, {}, { Qualifier })).value, Qualifier]);
  assert.deepEqual(values, [
    ["one", "1"],
    ["two", "2"],
    ["two", "3"],
    ["two", "$LATEST"],
  ]);
  const one = await setting.invoke(`${FunctionName}:1`);
  assert.equal(one.version, "1");
});

test("PublishVersion checks CodeSha256 and RevisionId", async () => {
  const FunctionName = await setting.create(ECHO);
  const { Configuration } = await setting.lambda.send(new GetFunctionCommand({ FunctionName }));
  await assert.rejects(
    setting.lambda.send(new PublishVersionCommand({ FunctionName, CodeSha256: "other" })),
    {
      name: "InvalidParameterValueException",
      message:
        /^CodeSHA256 \(other\) is different from current CodeSHA256 in \$LATEST \(.+\)\. Please try again/,
    },
  );
  await assert.rejects(
    setting.lambda.send(
      new PublishVersionCommand({ FunctionName, RevisionId: "00000000-0000-4000-8000-000000000000" }),
    ),
    { name: "PreconditionFailedException" },
  );
  const { Version } = await setting.lambda.send(
    new PublishVersionCommand({
      FunctionName,
      CodeSha256: Configuration?.CodeSha256,
      RevisionId: Configuration?.RevisionId,
    }),
  );
  assert.equal(Version, "1");
  await assert.rejects(
    setting.lambda.send(new PublishVersionCommand({ FunctionName, PublishTo: "LATEST_PUBLISHED" })),
    { name: "NotImplemented" },
  );
});

test("ListVersionsByFunction answers $LATEST and then the versions, in pages", async () => {
  const FunctionName = await twoVersions();
  const first = await setting.lambda.send(new ListVersionsByFunctionCommand({ FunctionName, MaxItems: 2 }));
  assert.deepEqual(
    first.Versions?.map((one) => one.Version),
    ["$LATEST", "1"],
  );
  const rest = await setting.lambda.send(
    new ListVersionsByFunctionCommand({ FunctionName, Marker: first.NextMarker }),
  );
  assert.deepEqual(
    rest.Versions?.map((one) => one.FunctionArn?.split(":").at(-1)),
    ["2"],
  );
  assert.equal(rest.NextMarker, undefined);
});

test("DeleteFunction of a version: not while an alias uses it, not $LATEST, and its number never returns", async () => {
  const FunctionName = await twoVersions();
  await setting.lambda.send(
    new CreateAliasCommand({
      FunctionName,
      Name: "live",
      FunctionVersion: "1",
      RoutingConfig: { AdditionalVersionWeights: { "2": 0.5 } },
    }),
  );
  const remove = (Qualifier: string) =>
    setting.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier }));
  for (const version of ["1", "2"])
    await assert.rejects(remove(version), {
      name: "ResourceConflictException",
      message: "Unable to delete version because the following aliases reference it: [live]",
    });
  await assert.rejects(remove("$LATEST"), {
    message: "$LATEST version cannot be deleted without deleting the function.",
  });
  await assert.rejects(remove("live"), { message: "Deletion of aliases is not currently supported." });
  await assert.rejects(remove("9"), { name: "ResourceNotFoundException" });
  await setting.lambda.send(new DeleteAliasCommand({ FunctionName, Name: "live" }));
  await remove("2");
  await assert.rejects(setting.invoke(FunctionName, {}, { Qualifier: "2" }), {
    name: "ResourceNotFoundException",
  });
  assert.equal((await setting.lambda.send(new PublishVersionCommand({ FunctionName }))).Version, "3");
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName }));
  await setting.create(ECHO, { FunctionName });
  assert.equal((await setting.lambda.send(new PublishVersionCommand({ FunctionName }))).Version, "4");
});

test("CreateAlias, GetAlias and GetFunction through it", async () => {
  const FunctionName = await twoVersions();
  const created = await setting.lambda.send(
    new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1", Description: "d" }),
  );
  const { $metadata, RevisionId, ...alias } = created;
  assert.equal($metadata.httpStatusCode, 201);
  assert.match(RevisionId ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(alias, {
    AliasArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:live`,
    Name: "live",
    FunctionVersion: "1",
    Description: "d",
  });
  const read = await setting.lambda.send(new GetAliasCommand({ FunctionName, Name: "live" }));
  assert.deepEqual({ ...read, $metadata: 0 }, { ...created, $metadata: 0 });
  const { Configuration } = await setting.lambda.send(
    new GetFunctionCommand({ FunctionName, Qualifier: "live" }),
  );
  assert.equal(Configuration?.Version, "1");
  assert.match(Configuration?.FunctionArn ?? "", /:live$/);
  const invoked = await setting.invoke(FunctionName, {}, { Qualifier: "live" });
  assert.deepEqual([invoked.value, invoked.version], ["1", "1"]);
});

test("CreateAlias refuses what an alias may not be", async () => {
  const FunctionName = await twoVersions();
  const create = (more: object) =>
    setting.lambda.send(
      new CreateAliasCommand({ FunctionName, Name: "refused", FunctionVersion: "1", ...more }),
    );
  await create({ Name: "taken" });
  await assert.rejects(create({ Name: "taken" }), {
    name: "ResourceConflictException",
    message: `Alias already exists: arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:taken`,
  });
  await assert.rejects(create({ FunctionVersion: "9" }), {
    name: "ResourceNotFoundException",
    message: `Function not found: arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:9`,
  });
  await assert.rejects(create({ FunctionVersion: "taken" }), { name: "ValidationException" });
  await assert.rejects(create({ Name: "123" }), { name: "ValidationException" });
  await assert.rejects(create({ FunctionName: "nobody" }), /Function not found: .*:nobody$/);
  const weights = (more: Record<string, number>, FunctionVersion = "1") =>
    create({ FunctionVersion, RoutingConfig: { AdditionalVersionWeights: more } });
  await assert.rejects(weights({ "1": 0.5, "2": 0.5 }), {
    message: "Number of items in AdditionalVersionWeights cannot be greater than 1",
  });
  await assert.rejects(
    weights({ "1": 0.5 }),
    /Function version 1 is already included in routing configuration/,
  );
  await assert.rejects(weights({ "2": 1.5 }), /less than or equal to 1/);
  await assert.rejects(weights({ $LATEST: 0.5 }), { name: "ValidationException" });
  await assert.rejects(weights({ "9": 0.5 }), /Function not found: .*:9$/);
  await assert.rejects(weights({ "2": 0.5 }, "$LATEST"), {
    message: "$LATEST is not supported for an alias pointing to more than 1 version",
  });
  await setting.lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName,
      Role: await makeRole(setting.iam, "second-role"),
    }),
  );
  await setting.updated(FunctionName);
  await setting.lambda.send(new PublishVersionCommand({ FunctionName }));
  await assert.rejects(weights({ "3": 0.5 }), /must have the same execution role/);
});

test("Invoke through an alias divides by its weights and says what ran", async () => {
  const FunctionName = await twoVersions();
  await setting.lambda.send(
    new CreateAliasCommand({
      FunctionName,
      Name: "split",
      FunctionVersion: "1",
      RoutingConfig: { AdditionalVersionWeights: { "2": 0.5 } },
    }),
  );
  const seen = { "1": 0, "2": 0 };
  for (let at = 0; at < 100; at++) {
    const { value, version } = await setting.invoke(FunctionName, {}, { Qualifier: "split" });
    assert.equal(value, version);
    seen[version as "1" | "2"]++;
  }
  // Fewer than 20 of 100 fair coins happen less than once in a thousand million runs.
  assert.ok(seen["1"] >= 20 && seen["2"] >= 20, JSON.stringify(seen));
});

test("UpdateAlias keeps what it does not name, clears weights, and checks the revision", async () => {
  const FunctionName = await twoVersions();
  const created = await setting.lambda.send(
    new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1", Description: "kept" }),
  );
  const update = (more: object) =>
    setting.lambda.send(new UpdateAliasCommand({ FunctionName, Name: "live", ...more }));
  const weighted = await update({ RoutingConfig: { AdditionalVersionWeights: { "2": 0.25 } } });
  assert.deepEqual(weighted.RoutingConfig, { AdditionalVersionWeights: { "2": 0.25 } });
  assert.deepEqual([weighted.FunctionVersion, weighted.Description], ["1", "kept"]);
  await assert.rejects(update({ Description: "x", RevisionId: created.RevisionId }), {
    name: "PreconditionFailedException",
  });
  await assert.rejects(update({ FunctionVersion: "2" }), /already included in routing configuration/);
  const moved = await update({ FunctionVersion: "2", RoutingConfig: {}, RevisionId: weighted.RevisionId });
  assert.equal(moved.RoutingConfig, undefined);
  assert.equal((await setting.invoke(FunctionName, {}, { Qualifier: "live" })).value, "2");
  await assert.rejects(
    setting.lambda.send(new UpdateAliasCommand({ FunctionName, Name: "nobody", FunctionVersion: "1" })),
    {
      name: "ResourceNotFoundException",
      message: `Cannot find alias arn: arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:nobody`,
    },
  );
});

test("ListAliases pages by name and picks by version; DeleteAlias is done once and may be said twice", async () => {
  const FunctionName = await twoVersions();
  for (const [Name, FunctionVersion] of [
    ["a", "1"],
    ["b", "2"],
    ["c", "1"],
  ] as const)
    await setting.lambda.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion }));
  const list = async (more: object) => {
    const answer = await setting.lambda.send(new ListAliasesCommand({ FunctionName, ...more }));
    return { names: answer.Aliases?.map((one) => one.Name), next: answer.NextMarker };
  };
  const first = await list({ MaxItems: 2 });
  assert.deepEqual(first.names, ["a", "b"]);
  assert.deepEqual((await list({ Marker: first.next })).names, ["c"]);
  assert.deepEqual((await list({ FunctionVersion: "1" })).names, ["a", "c"]);
  for (const _ of [1, 2]) {
    const answer = await setting.lambda.send(new DeleteAliasCommand({ FunctionName, Name: "a" }));
    assert.equal(answer.$metadata.httpStatusCode, 204);
  }
  assert.deepEqual((await list({})).names, ["b", "c"]);
  await assert.rejects(setting.lambda.send(new DeleteAliasCommand({ FunctionName: "nobody", Name: "a" })), {
    name: "ResourceNotFoundException",
  });
  await assert.rejects(
    setting.lambda.send(new GetAliasCommand({ FunctionName, Name: "a" })),
    /Cannot find alias arn/,
  );
});
