/** Who may call a function URL: everyone whom the function's policy lets, or those who sign and may. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import type { Hash, Hmac } from "node:crypto";
import { after, before, test } from "node:test";
import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  RemovePermissionCommand,
} from "@aws-sdk/client-lambda";
import { SignatureV4 } from "@smithy/signature-v4";
import { start } from "../../src/index.ts";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { assumeNewRole, makeUser } from "../harness/principals.ts";
import { rootOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";
import { ACCOUNT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";
import { callUrl } from "./url-caller.ts";
import type { UrlReply } from "./url-caller.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

const WHO = "export const handler = async ({ requestContext }) => requestContext;";

async function urlOf(AuthType: "NONE" | "AWS_IAM"): Promise<{ name: string; url: string; arn: string }> {
  const name = await setting.create(WHO);
  const { FunctionUrl: url = "", FunctionArn: arn = "" } = await setting.lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName: name, AuthType }),
  );
  return { name, url, arn };
}

const add = (FunctionName: string, StatementId: string, more: object) =>
  setting.lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId,
      Principal: "*",
      Action: "lambda:InvokeFunctionUrl",
      ...more,
    }),
  );

test("NONE lets everyone in whom the function's policy lets do both, and nobody else", async () => {
  const { name, url } = await urlOf("NONE");
  const status = async () => (await callUrl(url)).status;
  const refused = await callUrl(url);
  assert.equal(refused.status, 403);
  assert.equal(refused.headers["x-amzn-errortype"], "AccessDeniedException");
  assert.match(refused.body.toString(), /^\{"Message":"Forbidden\. For troubleshooting Function URL/);
  await add(name, "url", { FunctionUrlAuthType: "NONE" });
  assert.equal(await status(), 403, "since October 2025 that is not enough");
  await add(name, "invoke", { Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true });
  assert.equal(await status(), 200);
  await setting.lambda.send(new RemovePermissionCommand({ FunctionName: name, StatementId: "url" }));
  assert.equal(await status(), 403);
  await add(name, "signed", { FunctionUrlAuthType: "AWS_IAM" });
  assert.equal(await status(), 403, "what those who sign may do is not for everyone");
});

test("a host that is no URL's is told what one is told who may not", async () => {
  const { url } = await urlOf("NONE");
  const other = url.replace(/[a-z0-9]{32}/, "0".repeat(32));
  assert.equal((await callUrl(other)).status, 403);
});

type SourceData = string | ArrayBuffer | ArrayBufferView;

/** SHA-256 and HMAC as the SDK's signer wants them. */
class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }
  update(data: SourceData): void {
    this.#hash.update(bytesOf(data));
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

function bytesOf(data: SourceData): Buffer {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}

/** Calls with a signature of the SDK's signer; `sent` may be another body than the signed one. */
async function signed(
  url: string,
  { credentials }: Pick<ClientOptions, "credentials">,
  body = "",
  sent = body,
): Promise<UrlReply> {
  const { host, hostname, port } = new URL(url);
  const signer = new SignatureV4({ service: "lambda", region: "us-east-1", credentials, sha256: Sha256 });
  const request = await signer.sign({
    method: "POST",
    protocol: "http:",
    hostname,
    port: Number(port),
    path: "/path",
    query: { b: "2", a: "1" },
    headers: { host, "content-type": "text/plain" },
    body,
  });
  return callUrl(url, { method: "POST", path: "path?b=2&a=1", headers: request.headers, body: sent });
}

test("AWS_IAM lets in who signs and whose policies allow both, and tells the function who that is", async () => {
  const { url, arn } = await urlOf("AWS_IAM");
  assert.equal((await callUrl(url)).status, 403, "who does not sign is nobody");
  const root = setting.server.client();
  const reply = await signed(url, root, "text");
  assert.equal(reply.status, 200);
  const context = JSON.parse(reply.body.toString()) as { accountId: string; authorizer: { iam: object } };
  assert.equal(context.accountId, ACCOUNT);
  assert.deepEqual(context.authorizer.iam, {
    accessKey: root.credentials.accessKeyId,
    accountId: ACCOUNT,
    callerId: ACCOUNT,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: `arn:aws:iam::${ACCOUNT}:root`,
    userId: ACCOUNT,
  });
  const user = await makeUser(root, "url-user", { Action: "lambda:InvokeFunctionUrl", Resource: arn });
  const half = await signed(url, user.options);
  assert.equal(half.status, 403);
  assert.match(half.body.toString(), /lambda:InvokeFunction on resource/);
  await user.may({ Action: ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], Resource: arn });
  assert.equal((await signed(url, user.options)).status, 200);
  await user.may({
    Action: ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"],
    Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } },
  });
  assert.equal((await signed(url, user.options)).status, 403, "their policy asks for another way");
});

test("the function's policy lets a role of the account in, and another account whose own policies do", async () => {
  const { name, url } = await urlOf("AWS_IAM");
  const role = await assumeNewRole(setting.server.client(), "url-role", [
    { Action: "sts:GetCallerIdentity" },
  ]);
  assert.equal((await signed(url, role)).status, 403);
  const Principal = `arn:aws:iam::${ACCOUNT}:role/url-role`;
  await add(name, "role", { Principal, FunctionUrlAuthType: "AWS_IAM" });
  await add(name, "role-too", { Principal, Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true });
  assert.equal((await signed(url, role)).status, 200);
  const guest = setting.server.client({ account: "444455556666" });
  assert.equal((await signed(url, guest)).status, 403);
  const account = { Principal: "444455556666" };
  await add(name, "guest", { ...account, FunctionUrlAuthType: "AWS_IAM" });
  await add(name, "guest-too", { ...account, Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true });
  assert.equal((await signed(url, guest)).status, 200);
});

test("with --auth on a signature is verified, body included", async () => {
  const server = await start({ auth: "on" });
  try {
    const root = await rootOptions(server);
    await makeRole(root);
    const Role = `arn:aws:iam::${ACCOUNT}:role/test-function`;
    const client = await deployFunction(root, "target", { "index.mjs": WHO }, { Role });
    const { FunctionUrl: url = "" } = await client.send(
      new CreateFunctionUrlConfigCommand({ FunctionName: "target", AuthType: "AWS_IAM" }),
    );
    assert.equal((await signed(url, root, "text")).status, 200);
    const other = await signed(url, root, "text", "test");
    assert.equal(other.status, 403);
    assert.equal(other.headers["x-amzn-errortype"], "InvalidSignatureException");
    const unknown = { credentials: { ...root.credentials, accessKeyId: "AKIAUNKNOWN000000000" } };
    assert.equal((await signed(url, unknown)).status, 403);
    assert.equal((await callUrl(url)).status, 403);
  } finally {
    await server.stop();
  }
});
