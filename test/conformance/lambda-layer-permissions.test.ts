/** Who may have a layer: other accounts by its policy, users and roles by their own. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { IAMClient } from "@aws-sdk/client-iam";
import {
  AddLayerVersionPermissionCommand,
  CreateFunctionCommand,
  DeleteLayerVersionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionPolicyCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  RemoveLayerVersionPermissionCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { makeUser } from "../harness/principals.ts";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, RUNTIME, makeRole, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

const OTHER_ACCOUNT = "111122223333";
const arnOf = (name: string, version: number) =>
  `arn:aws:lambda:us-east-1:${ACCOUNT}:layer:${name}:${version}`;
const refused = (name: string, message: string | RegExp) => ({ name, message });

async function publish(LayerName: string): Promise<string> {
  const Content = { ZipFile: await zipOf({ x: "x" }) };
  const answer = await setting.lambda.send(new PublishLayerVersionCommand({ LayerName, Content }));
  return answer.LayerVersionArn ?? "";
}

test("AddLayerVersionPermission lets another account have a version, as GetLayerVersionPolicy tells, until RemoveLayerVersionPermission", async () => {
  const arn = await publish("shared");
  const version = { LayerName: "shared", VersionNumber: 1 };
  const guest = setting.server.client({ account: OTHER_ACCOUNT });
  const client = new LambdaClient(guest);
  const denied = refused(
    "AccessDeniedException",
    `User: arn:aws:iam::${OTHER_ACCOUNT}:root is not authorized to perform: lambda:GetLayerVersion on resource: ${arn} because no resource-based policy allows the lambda:GetLayerVersion action`,
  );
  const read = () => client.send(new GetLayerVersionByArnCommand({ Arn: arn }));
  await assert.rejects(read(), denied);
  const policyOf = () => setting.lambda.send(new GetLayerVersionPolicyCommand(version));
  await assert.rejects(
    policyOf(),
    refused("ResourceNotFoundException", "No policy is associated with the given resource."),
  );
  const add = (StatementId: string, Principal: string, more: object = {}) =>
    setting.lambda.send(
      new AddLayerVersionPermissionCommand({
        ...version,
        StatementId,
        Action: "lambda:GetLayerVersion",
        Principal,
        ...more,
      }),
    );
  const added = await add("guest", OTHER_ACCOUNT);
  assert.equal(added.$metadata.httpStatusCode, 201);
  const statement = {
    Sid: "guest",
    Effect: "Allow",
    Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` },
    Action: "lambda:GetLayerVersion",
    Resource: arn,
  };
  assert.deepEqual(JSON.parse(added.Statement ?? ""), statement);
  await assert.rejects(
    add("guest", "*"),
    refused("ResourceConflictException", /\(guest\) provided already exists/),
  );
  await assert.rejects(
    add("other", "*", { RevisionId: "no-revision" }),
    refused("PreconditionFailedException", /Call the GetLayerPolicy API/),
  );
  await assert.rejects(
    setting.lambda.send(
      new AddLayerVersionPermissionCommand({
        ...version,
        StatementId: "s",
        Action: "lambda:*",
        Principal: "*",
      }),
    ),
    { name: "ValidationException" },
  );
  const policy = await policyOf();
  assert.equal(policy.RevisionId, added.RevisionId);
  assert.deepEqual(JSON.parse(policy.Policy ?? ""), {
    Version: "2012-10-17",
    Id: "default",
    Statement: [statement],
  });
  assert.equal((await read()).LayerVersionArn, arn);
  const role = await makeRole(new IAMClient(guest), "guest");
  await client.send(
    new CreateFunctionCommand({
      FunctionName: "guest",
      Runtime: RUNTIME,
      Role: role,
      Handler: "index.handler",
      Code: { ZipFile: await zipOf({ "index.mjs": "export const handler = async () => 1;" }) },
      Layers: [arn],
    }),
  );
  const remove = (more: object = {}) =>
    setting.lambda.send(
      new RemoveLayerVersionPermissionCommand({ ...version, StatementId: "guest", ...more }),
    );
  await assert.rejects(remove({ RevisionId: "no-revision" }), { name: "PreconditionFailedException" });
  assert.equal((await remove({ RevisionId: policy.RevisionId })).$metadata.httpStatusCode, 204);
  await assert.rejects(
    remove(),
    refused("ResourceNotFoundException", "Statement guest is not found in resource policy."),
  );
  await assert.rejects(read(), denied);
  // With an organization: nobody here belongs to one.
  const { Statement = "" } = await add("org", "*", { OrganizationId: "o-1234567890" });
  assert.deepEqual(JSON.parse(Statement).Condition, {
    StringEquals: { "aws:PrincipalOrgID": "o-1234567890" },
  });
  await assert.rejects(read(), denied);
  await add("all", "*");
  assert.equal((await read()).Version, 1);
  await assert.rejects(
    client.send(new DeleteLayerVersionCommand({ LayerName: arn.replace(/:1$/, ""), VersionNumber: 1 })),
    refused("AccessDeniedException", /lambda:DeleteLayerVersion on resource/),
  );
  await assert.rejects(
    setting.lambda.send(new GetLayerVersionPolicyCommand({ LayerName: "shared", VersionNumber: 9 })),
    refused("ResourceNotFoundException", `Layer version ${arnOf("shared", 9)} does not exist.`),
  );
});

test("a user needs lambda:GetLayerVersion for the layers of a function, and lambda:Layer limits which", async () => {
  const arn = await publish("guarded");
  const name = await setting.create("export const handler = async () => 1;");
  const options = setting.server.client();
  const resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;
  const may = { Action: "lambda:UpdateFunctionConfiguration", Resource: resource };
  const user = await makeUser(options, "layer-user", may);
  const update = () =>
    new LambdaClient(user.options).send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, Layers: [arn] }),
    );
  await assert.rejects(
    update(),
    refused("AccessDeniedException", new RegExp(`lambda:GetLayerVersion on resource: ${arn}`)),
  );
  await user.may(may, { Action: "lambda:GetLayerVersion", Resource: "arn:aws:lambda:*:*:layer:guarded:*" });
  await update();
  await setting.updated(name);
  const limited = {
    ...may,
    Condition: { "ForAllValues:StringEquals": { "lambda:Layer": [arnOf("another", 1)] } },
  };
  const other = await makeUser(options, "limited-user", limited, { Action: "lambda:GetLayerVersion" });
  await assert.rejects(
    new LambdaClient(other.options).send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, Layers: [arn] }),
    ),
    refused("AccessDeniedException", /lambda:UpdateFunctionConfiguration on resource/),
  );
});
