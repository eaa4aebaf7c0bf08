/** Deploys a user pool with a function as its triggers; a stranger is refused, and a colleague signs up and in. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  DeleteUserPoolCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { CreateRoleCommand, DeleteRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { ZipFile } from "yazl";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const Password = "C0rrect-horse";

/**
 * @param options Of SDK clients: endpoint, region, credentials
 * @param runtime A Node.js of Lambda's that the server has
 * @returns What to tell: one line
 */
export async function run(options, runtime) {
  const clients = {
    iam: new IAMClient(options),
    lambda: new LambdaClient(options),
    cognito: new CognitoIdentityProviderClient(options),
  };
  const name = `sign-up-hook-${Math.random().toString(36).slice(2, 8)}`;
  const app = { name, runtime, options };
  try {
    await deploy(clients, app);
    return await signUp(clients, app);
  } finally {
    await remove(clients, app);
    for (const client of Object.values(clients)) client.destroy();
  }
}

async function deploy({ iam, lambda, cognito }, app) {
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: app.name, AssumeRolePolicyDocument }));
  const zip = new ZipFile();
  zip.addBuffer(await readFile(new URL("function/index.mjs", import.meta.url)), "index.mjs");
  zip.end();
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: app.name,
      Role: Role.Arn,
      Runtime: app.runtime,
      Handler: "index.handler",
      Code: { ZipFile: await buffer(zip.outputStream) },
    }),
  );
  const wait = { client: lambda, maxWaitTime: 120, minDelay: 0.1, maxDelay: 1 };
  await waitUntilFunctionActiveV2(wait, { FunctionName: app.name });
  const { UserPool } = await cognito.send(
    new CreateUserPoolCommand({
      PoolName: app.name,
      UsernameAttributes: ["email"],
      AutoVerifiedAttributes: ["email"],
      LambdaConfig: {
        PreSignUp: FunctionArn,
        CustomMessage: FunctionArn,
        PreTokenGeneration: FunctionArn,
      },
    }),
  );
  app.pool = UserPool.Id;
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: app.name,
      StatementId: "pool",
      Action: "lambda:InvokeFunction",
      Principal: "cognito-idp.amazonaws.com",
      SourceArn: UserPool.Arn,
    }),
  );
  const { UserPoolClient } = await cognito.send(
    new CreateUserPoolClientCommand({
      UserPoolId: app.pool,
      ClientName: "app",
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    }),
  );
  app.client = UserPoolClient.ClientId;
}

async function signUp({ cognito }, app) {
  const ClientId = app.client;
  const stranger = { ClientId, Username: "eve@elsewhere.org", Password };
  const refusal = await cognito.send(new SignUpCommand(stranger)).catch((error) => error.message);
  assert.equal(refusal, "PreSignUp failed with error only addresses of @example.com may sign up.");
  const Username = "ada@example.com";
  await cognito.send(new SignUpCommand({ ClientId, Username, Password }));
  const message = await newestMessage(app);
  assert.match(message.message, /^Welcome, ada@example\.com\. Your code is \d{6}\.$/);
  await cognito.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode: message.code }));
  const { AuthenticationResult } = await cognito.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: Username, PASSWORD: Password },
    }),
  );
  const claims = JSON.parse(Buffer.from(AuthenticationResult.IdToken.split(".")[1], "base64url").toString());
  assert.deepEqual([claims.email, claims.email_verified, claims.staff], [Username, true, "true"]);
  return `a stranger was refused, ${claims.email} signed up and in, with the claim staff=${claims.staff}`;
}

/** What the pool's users would have been sent, as its operator reads it. */
async function newestMessage({ pool, options }) {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "messages", pool, "--json"], {
    env: {
      ...process.env,
      AWS_ENDPOINT_URL: options.endpoint,
      AWS_REGION: options.region,
      AWS_ACCESS_KEY_ID: options.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: options.credentials.secretAccessKey,
    },
  });
  return JSON.parse(stdout)[0];
}

/** What was made, as far as it was. */
async function remove({ iam, lambda, cognito }, { name, pool }) {
  if (pool) await cognito.send(new DeleteUserPoolCommand({ UserPoolId: pool }));
  await lambda.send(new DeleteFunctionCommand({ FunctionName: name })).catch(() => {});
  await iam.send(new DeleteRoleCommand({ RoleName: name })).catch(() => {});
}
