/** Deploying small functions in tests, through the front door as everyone does. */
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  EntityAlreadyExistsException,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import type { CreateFunctionCommandInput } from "@aws-sdk/client-lambda";
import type { ClientOptions } from "./server.ts";
import { zipOf } from "./zip.ts";

const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** Makes a role that Lambda may assume and that may write logs, unless it is there; answers its ARN. */
export async function makeRole(options: ClientOptions, RoleName = "test-function"): Promise<string> {
  const iam = new IAMClient(options);
  try {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST }));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: BASIC }));
  } catch (error) {
    if (!(error instanceof EntityAlreadyExistsException)) throw error;
  }
  return `arn:aws:iam::${options.credentials.accessKeyId}:role/${RoleName}`;
}

/** Lets the role of `makeRole` do something, on everything; makes it where it is missing. */
export async function letRole(options: ClientOptions, Action: string, RoleName?: string): Promise<void> {
  const arn = await makeRole(options, RoleName);
  const Statement = [{ Effect: "Allow", Action, Resource: "*" }];
  await new IAMClient(options).send(
    new PutRolePolicyCommand({
      RoleName: arn.split("/").at(-1),
      PolicyName: Action.replace(":", "-"),
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
    }),
  );
}

/** Creates a function from files and waits until it is active. `nodejs24.x` and `index.handler` unless told otherwise. */
export async function deployFunction(
  options: ClientOptions,
  FunctionName: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  settings: Partial<CreateFunctionCommandInput> = {},
): Promise<LambdaClient> {
  const client = new LambdaClient(options);
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: settings.Role ?? (await makeRole(options)),
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: await zipOf(files) },
      ...settings,
    }),
  );
  await waitUntilFunctionActiveV2(
    { client, maxWaitTime: 120, minDelay: 0.05, maxDelay: 1 },
    { FunctionName },
  );
  return client;
}
