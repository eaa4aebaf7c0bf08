/** Which requests take the direct way; that both ways answer alike is shown by test/conformance/lambda-direct.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../kit/clock.ts";
import { randomIds } from "../kit/id.ts";
import { createAuthenticator } from "./auth/authenticate.ts";
import { signRequest } from "./auth/sign-request.ts";
import { CallerPresence } from "./http/caller-presence.ts";
import { createCatalogue } from "./catalogue.ts";
import { DirectWay } from "./direct.ts";
import type { DirectCall, Principal } from "./service.ts";

const catalogue = createCatalogue();
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const path = "/2015-03-31/functions/f/invocations";

function way(type: Principal["type"], authentication: "on" | "off" = "on") {
  const principal = { type, account: "111122223333", arn: "", userId: "", accessKeyId: "AKIA" };
  const record = { secretAccessKey, active: true, principal };
  const known = (id: string) => (id === "AKIA" ? record : undefined);
  const accessKeys = { known, find: async (id: string) => known(id) };
  const options = { authentication, accessKeys, clock: systemClock, defaultRegion: "us-east-1" };
  const calls: DirectCall[] = [];
  const found: unknown[] = [];
  const direct = {
    pathRoot: "/2015-03-31/functions/",
    headers: new Set(["x-own"]),
    find(...question: unknown[]) {
      found.push(question);
      return (call: DirectCall) => {
        calls.push(call);
        return Promise.resolve({ status: 200, headers: {}, body: undefined });
      };
    },
  };
  const services = [{ name: "lambda", operations: new Map(), direct }];
  const authenticator = createAuthenticator(options);
  return { calls, found, way: new DirectWay({ services, catalogue, authenticator, ids: randomIds }) };
}

interface Given {
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly body?: string;
}

function request({ url = path, headers = {}, key = "AKIA", body = "{}" }: Given = {}) {
  const signer = { accessKeyId: key, secretAccessKey, sessionToken: undefined, region: "eu-west-1" };
  const signed = signRequest(
    { method: "POST", url: new URL(`http://localhost:4566${url}`), headers, body: Buffer.from("{}") },
    { ...signer, service: "lambda", date: new Date() },
  );
  return [{ method: "POST", url, headers: signed }, Buffer.from(body), new CallerPresence()] as const;
}

test("a plain signed request is served, and its path is looked at once", () => {
  const { way: door, calls, found } = way("root");
  for (let times = 0; times < 3; times++) assert.ok(door.serve(...request()));
  assert.deepEqual(found, [
    ["Invoke", { FunctionName: "f" }, { account: "111122223333", region: "eu-west-1" }],
  ]);
  assert.equal(calls.length, 3);
  assert.equal(calls[0]?.body.toString(), "{}");
  assert.ok(door.serve(...request({ headers: { "x-own": "1", "user-agent": "aws-sdk-js/3" } })));
});

test("what is not plain, or would be refused, goes the general way", () => {
  const { way: door, calls } = way("root");
  for (const given of [
    { url: "/other" },
    { url: "/2015-03-31/functions/f/no-such-thing" },
    { url: `${path}?Qualifier=1` },
    { url: "/2015-03-31/functions/%zz/invocations" },
    { headers: { "x-amz-log-type": "Tail" } },
    { headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } },
    { headers: { "x-amz-security-token": "token" } },
    { key: "AKIANOBODY" },
    { body: "{} " },
  ] satisfies Given[])
    assert.equal(door.serve(...request(given)), undefined, JSON.stringify(given));
  const [head, body, caller] = request();
  assert.equal(door.serve({ ...head, method: "PUT" }, body, caller), undefined);
  assert.equal(door.serve({ ...head, headers: { host: "localhost" } }, body, caller), undefined);
  assert.deepEqual(calls, []);
});

test("only root needs no policies to be read", () => {
  for (const type of ["user", "assumed-role", "anonymous"] as const)
    assert.equal(way(type).way.serve(...request()), undefined);
});

test("with authentication off the key alone says who calls", () => {
  const { way: door } = way("root", "off");
  assert.ok(door.serve(...request({ body: "changed" })));
});

test("a service whose operations are named by X-Amz-Target is served for a plain POST of its content type", () => {
  const principal = {
    type: "root",
    account: "111122223333",
    arn: "",
    userId: "",
    accessKeyId: "AKIA",
  } as const;
  const known = () => ({ secretAccessKey, active: true, principal });
  const options = {
    authentication: "on",
    accessKeys: { known, find: async () => known() },
    clock: systemClock,
    defaultRegion: "us-east-1",
  } as const;
  const found: unknown[] = [];
  const direct = {
    headers: new Set<string>(),
    find(...question: unknown[]) {
      found.push(question);
      return () => Promise.resolve({ status: 200, headers: {}, body: undefined });
    },
  };
  const services = [{ name: "kinesis", operations: new Map(), direct }];
  const way = new DirectWay({
    services,
    catalogue,
    authenticator: createAuthenticator(options),
    ids: randomIds,
  });
  const serve = (more: { method?: string; path?: string; target?: string; type?: string } = {}) => {
    const { method = "POST", path: url = "/", target = "Kinesis_20131202.PutRecords" } = more;
    const headers = { "x-amz-target": target, "content-type": more.type ?? "application/x-amz-json-1.1" };
    const signer = { accessKeyId: "AKIA", secretAccessKey, sessionToken: undefined, region: "eu-west-1" };
    const signed = signRequest(
      { method, url: new URL(`http://localhost:4566${url}`), headers, body: Buffer.from("{}") },
      { ...signer, service: "kinesis", date: new Date() },
    );
    return way.serve({ method, url, headers: signed }, Buffer.from("{}"), new CallerPresence());
  };
  assert.ok(serve() && serve());
  assert.deepEqual(found, [["PutRecords", {}, { account: "111122223333", region: "eu-west-1" }]]);
  assert.equal(serve({ method: "PUT" }), undefined);
  assert.equal(serve({ path: "/other" }), undefined);
  assert.equal(serve({ target: "Kinesis_20131202.NoSuchThing" }), undefined);
  assert.equal(serve({ target: "DynamoDB_20120810.PutItem" }), undefined);
  assert.equal(serve({ type: "application/x-amz-cbor-1.1" }), undefined);
});
