/** Users through `kill -9`, with authentication on: what was answered is there, and tokens go on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  AdminGetUserCommand,
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  GetUserCommand,
  InitiateAuthCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { spawnServer } from "../harness/process.ts";
import { rootOptions } from "../harness/server.ts";
import { makePool, refusal } from "../harness/user-pools.ts";
import type { SentMessage } from "../harness/user-pools.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

test("SignUp and ConfirmSignUp survive kill -9, and so do codes, sign-ins and keys; AdminGetUser needs a signature", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-user-pools-"));
  const flags = ["--data-dir", dataDir, "--port", "0", "--sandbox", "process", "--auth", "on"];
  let server = await spawnServer(flags);
  const restart = async () => {
    await server.kill();
    server = await spawnServer(flags);
  };
  try {
    const root = () =>
      rootOptions({ endpoint: server.endpoint, credentialsFile: join(dataDir, "credentials") });
    const pool = await makePool(new CognitoIdentityProviderClient(await root()), {
      AutoVerifiedAttributes: ["email"],
    });
    const { id: UserPoolId, clientId: ClientId } = pool;
    // Users have no keys of AWS.
    const open = () =>
      new CognitoIdentityProviderClient({
        endpoint: server.endpoint,
        region: "us-east-1",
        maxAttempts: 1,
        credentials: { accessKeyId: "nobody", secretAccessKey: "nothing" },
      });
    const signedUp = { ClientId, Username: "ada", Password: "Passw0rd!" };
    const UserAttributes = [{ Name: "email", Value: "ada@example.com" }];
    await open().send(new SignUpCommand({ ...signedUp, UserAttributes }));
    await restart();
    const { credentials } = await root();
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: "us-east-1",
    };
    const read = spawnSync(process.execPath, [MAIN, "messages", UserPoolId, "ada", "--json"], {
      env,
      encoding: "utf8",
    });
    const [message] = JSON.parse(read.stdout) as SentMessage[];
    assert.equal(message?.destination, "ada@example.com", read.stderr);
    const ConfirmationCode = message?.code;
    await open().send(new ConfirmSignUpCommand({ ClientId, Username: "ada", ConfirmationCode }));
    await restart();
    const auth = {
      ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: "ada", PASSWORD: "Passw0rd!" },
    } as const;
    const { AuthenticationResult: tokens } = await open().send(new InitiateAuthCommand(auth));
    await restart();
    const AccessToken = tokens?.AccessToken;
    assert.equal((await open().send(new GetUserCommand({ AccessToken }))).Username, "ada");
    const AuthParameters = { REFRESH_TOKEN: tokens?.RefreshToken ?? "" };
    const again = { ClientId, AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters } as const;
    assert.ok((await open().send(new InitiateAuthCommand(again))).AuthenticationResult?.IdToken);
    const asked = new AdminGetUserCommand({ UserPoolId, Username: "ada" });
    assert.match(await refusal(open().send(asked)), /^UnrecognizedClientException/);
  } finally {
    await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});
