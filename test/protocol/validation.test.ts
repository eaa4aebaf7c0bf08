/** Constraints answered in AWS's words and under each service's own code. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, QueryCommand, TagResourceCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { InvokeCommand, LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { SignUpCommand, CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import { readFileSync, readdirSync } from "node:fs";
import type { ConstraintsFile } from "../../src/aws/model/format.ts";
import { createCatalogue } from "../../src/aws/catalogue.ts";
import { unvalidated, validationCodes } from "../../src/aws/patches.ts";
import { compilePattern } from "../../src/aws/validation/pattern.ts";
import { startDoor } from "./door.ts";
import type { Door } from "./door.ts";

let door: Door;
before(async () => {
  const nothing = () => ({});
  door = await startDoor({
    services: {
      lambda: { UpdateFunctionConfiguration: nothing, Invoke: nothing },
      dynamodb: { Query: nothing, TagResource: nothing },
      iam: { CreateRole: nothing },
      "cloudwatch-logs": { CreateLogGroup: nothing },
      "cognito-identity-provider": { SignUp: nothing },
    },
  });
});
after(() => door.stop());

const lambda = (input: object) =>
  new LambdaClient(door.client()).send(
    new UpdateFunctionConfigurationCommand({ FunctionName: "f", ...input }),
  );

test("a number out of its range", async () => {
  await assert.rejects(lambda({ MemorySize: 64 }), {
    name: "ValidationException",
    message:
      "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
  });
});

test("several at once, each with its own sentence", async () => {
  await assert.rejects(lambda({ MemorySize: 64, Description: "x".repeat(257) }), {
    name: "ValidationException",
    message: `2 validation errors detected: Value '${"x".repeat(257)}' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256; Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128`,
  });
});

test("a value outside its enumeration", async () => {
  const input = { FunctionName: "f", InvocationType: "Later" as "Event" };
  await assert.rejects(new LambdaClient(door.client()).send(new InvokeCommand(input)), {
    message:
      "1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
  });
});

test("a pattern must match the whole value, and the query protocol's code is ValidationError", async () => {
  const input = { RoleName: "a role", AssumeRolePolicyDocument: "{}" };
  await assert.rejects(new IAMClient(door.client()).send(new CreateRoleCommand(input)), {
    name: "ValidationError",
    message:
      "1 validation error detected: Value 'a role' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+",
  });
});

test("a missing required member", async () => {
  await assert.rejects(
    new IAMClient(door.client()).send(
      new CreateRoleCommand({ RoleName: undefined, AssumeRolePolicyDocument: "{}" }),
    ),
    {
      message:
        "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null",
    },
  );
});

test("members of structures in a list have their place in the path", async () => {
  const input = {
    ResourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/t",
    Tags: [
      { Key: "a", Value: "b" },
      { Key: "", Value: "c" },
    ],
  };
  await assert.rejects(new DynamoDBClient(door.client()).send(new TagResourceCommand(input)), {
    message:
      "1 validation error detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
  });
});

test("elements of a simple list or map are told with the whole", async () => {
  await assert.rejects(
    new CloudWatchLogsClient(door.client()).send(
      new CreateLogGroupCommand({ logGroupName: "g", tags: { "a*": "b" } }),
    ),
    {
      name: "InvalidParameterException",
      message:
        "1 validation error detected: Value '{a*=b}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$]",
    },
  );
});

test("a sensitive value is not repeated", async () => {
  const input = { ClientId: "abc", Username: "u", Password: " bad " };
  const client = new CognitoIdentityProviderClient(door.client());
  await assert.rejects(client.send(new SignUpCommand(input)), {
    name: "InvalidParameterException",
    message: /^1 validation error detected: Value at 'password' failed to satisfy constraint: /,
  });
});

test("DynamoDB's unmodelled code is in the framework's namespace", async () => {
  await assert.rejects(
    new DynamoDBClient(door.client()).send(new QueryCommand({ TableName: "table", Limit: 0 })),
    {
      name: "ValidationException",
      message:
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    },
  );
});

test("every pattern of every model can be expressed", () => {
  const directory = new URL("../../src/aws/models/", import.meta.url);
  for (const name of readdirSync(directory).filter((file) => file.endsWith(".constraints.gen.json"))) {
    const { table } = JSON.parse(readFileSync(new URL(name, directory), "utf8")) as ConstraintsFile;
    for (const { pattern } of table)
      if (pattern !== undefined) assert.ok(compilePattern(pattern), `${name}: ${pattern}`);
  }
});

test("every patch names a service, and a structure and member that exist", () => {
  const catalogue = createCatalogue();
  const names = catalogue.metadata.map((service) => service.name);
  for (const name of Object.keys(validationCodes)) assert.ok(names.includes(name), name);
  for (const [name, members] of Object.entries(unvalidated)) {
    const model = catalogue.model(name);
    const inputs = model.operationNames.flatMap((operation) => model.operation(operation)?.input ?? []);
    for (const path of Object.keys(members)) {
      if (path === "*") continue;
      const [structure, member = ""] = path.split(".");
      const found = inputs.find((input) => input.name === structure);
      if (found) assert.ok(found.members.has(member), `${name} ${path}`);
    }
  }
});
