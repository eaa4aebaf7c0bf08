/** Invoke's direct way and the general one: whatever is sent is answered alike by both. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PublishVersionCommand, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { signRequest } from "../../src/aws/auth/sign-request.ts";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { makeUser } from "../harness/principals.ts";
import { startServer } from "../harness/server.ts";
import type { ClientOptions, TestServer } from "../harness/server.ts";
import { rawRequest } from "../protocol/raw-request.ts";

const CODE = `export const handler = async (event, { invokedFunctionArn, clientContext }) => {
  if (event.fails) throw new RangeError("so it does");
  return { event, invokedFunctionArn, clientContext };
};`;

let server: TestServer;
let root: ClientOptions;
before(async () => {
  server = await startServer({ auth: "on" });
  const file = await readFile(join(server.dataDir, "credentials"), "utf8");
  const value = (key: string) => new RegExp(`^${key} = (\\S+)`, "m").exec(file)?.[1] ?? "";
  const credentials = {
    accessKeyId: value("aws_access_key_id"),
    secretAccessKey: value("aws_secret_access_key"),
  };
  root = { ...server.client(), credentials };
  const Role = `arn:aws:iam::000000000000:role/${(await makeRole(root)).split("/")[1]}`;
  const client = await deployFunction(root, "works", { "index.mjs": CODE }, { Role });
  await client.send(new PublishVersionCommand({ FunctionName: "works" }));
  await deployFunction(root, "off", { "index.mjs": CODE }, { Role });
  await client.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "off", ReservedConcurrentExecutions: 0 }),
  );
});
after(() => server.stop());

interface Call {
  readonly name?: string;
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly options?: ClientOptions;
  readonly minutesAgo?: number;
  readonly service?: string;
  /** What is sent instead of what was signed. */
  readonly sentBody?: string;
}

const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b/g;
const TIMES = /\b\d{8}T\d{6}Z/g;

async function call(way: "direct" | "general", call: Call) {
  const { name = "works", query = "", body = '{"n":1}', headers = {}, options = root } = call;
  const url = new URL(`${server.endpoint}/2015-03-31/functions/${name}/invocations${query}`);
  const signed = signRequest(
    {
      method: "POST",
      url,
      headers: { "content-type": "application/json", ...headers },
      body: Buffer.from(body),
    },
    {
      ...options.credentials,
      sessionToken: undefined,
      region: "us-east-1",
      service: call.service ?? "lambda",
      date: new Date(Date.now() - (call.minutesAgo ?? 0) * 60_000),
    },
  );
  const answer = await rawRequest(Number(url.port), {
    path: url.pathname + url.search,
    // Nobody signs or reads it, and the direct way does not know it.
    headers: { ...signed, ...(way === "general" ? { "x-way": "general" } : {}) },
    body: call.sentBody ?? body,
  });
  const { "x-amzn-trace-id": trace, date: _, ...others } = answer.headers;
  for (const name of ["x-amzn-requestid", "x-amz-request-id"]) if (others[name]) others[name] = "id";
  return {
    status: answer.status,
    headers: others,
    isTraced: trace !== undefined,
    body: answer.body.toString().replaceAll(IDS, "id").replaceAll(TIMES, "time"),
  };
}

const calls: Readonly<Record<string, Call & { status: number }>> = {
  "a function that answers": { status: 200 },
  "an explicit type": { headers: { "x-amz-invocation-type": "RequestResponse" }, status: 200 },
  "an asynchronous call": { headers: { "x-amz-invocation-type": "Event" }, status: 202 },
  "a dry run": { headers: { "x-amz-invocation-type": "DryRun" }, status: 204 },
  "a type that every object has": { headers: { "x-amz-invocation-type": "constructor" }, status: 400 },
  "an unknown type": { headers: { "x-amz-invocation-type": "Sideways" }, status: 400 },
  "no payload": { body: "", status: 200 },
  "a payload that is no JSON": { body: "{", status: 400 },
  "a handler that throws": { body: '{"fails":true}', status: 200 },
  "a version in the name": { name: "works:1", status: 200 },
  "a version in the query": { query: "?Qualifier=1", status: 200 },
  "a version that is not there": { name: "works:7", status: 404 },
  "a whole ARN": { name: "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aworks", status: 200 },
  "another region's ARN": {
    name: "arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Aworks",
    status: 404,
  },
  "another account's ARN": {
    name: "arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Aworks",
    status: 403,
  },
  "a function that is not there": { name: "nothing", status: 404 },
  "a name that is none": { name: "no%20name", status: 400 },
  "a function that is switched off": { name: "off", status: 429 },
  "a client context": { headers: { "x-amz-client-context": btoa('{"custom":{}}') }, status: 200 },
  "a log tail": { headers: { "x-amz-log-type": "Tail" }, status: 200 },
  "a trace of the caller": {
    headers: { "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793" },
    status: 200,
  },
  "a chain of calls that is too long": {
    headers: {
      "x-amzn-trace-id": `Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=16:${createHash("sha256").update("arn:aws:lambda:us-east-1:000000000000:function:works").digest("hex").slice(0, 8)}:0`,
    },
    status: 400,
  },
  "a body that was not signed": { sentBody: '{"n":2}', status: 403 },
  "a signature for another service": { service: "xray", status: 404 },
  "a signature of an hour ago": { minutesAgo: 60, status: 403 },
};

test("every call is answered alike on the direct way and on the general one", async (t) => {
  // Both ways' first call finds the function known.
  assert.equal((await call("general", {})).status, 200);
  for (const [what, { status, ...one }] of Object.entries(calls)) {
    await t.test(what, async () => {
      const general = await call("general", one);
      const direct = await call("direct", one);
      // A log tail tells times.
      if (what === "a log tail") {
        assert.ok(general.headers["x-amz-log-result"] && direct.headers["x-amz-log-result"]);
        delete general.headers["x-amz-log-result"];
        delete direct.headers["x-amz-log-result"];
      }
      assert.deepEqual(direct, general);
      assert.equal(direct.status, status, direct.body);
    });
  }
});

test("unknown keys, wrong secrets and users without permission are refused alike", async () => {
  const stranger = { ...root, credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: "x" } };
  const impostor = { ...root, credentials: { ...root.credentials, secretAccessKey: "x" } };
  const user = await makeUser(root, "may-list", { Action: "lambda:ListFunctions" });
  for (const options of [stranger, impostor, user.options]) {
    const general = await call("general", { options });
    assert.deepEqual(await call("direct", { options }), general);
    assert.equal(general.status, 403, general.body);
  }
  await user.may({ Action: "lambda:InvokeFunction" });
  assert.equal((await call("direct", { options: user.options })).status, 200);
});
