/** Functions called by their URLs: events, answers, CORS, streams. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionUrlConfigCommand,
} from "@aws-sdk/client-lambda";
import type { CreateFunctionUrlConfigCommandInput } from "@aws-sdk/client-lambda";
import { startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";
import { callUrl, openUrl } from "./url-caller.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

/** What everyone may do whom the console makes a URL public for. */
async function makePublic(FunctionName: string, Qualifier?: string): Promise<void> {
  const common = { FunctionName, Qualifier, Principal: "*" };
  await setting.lambda.send(
    new AddPermissionCommand({
      ...common,
      StatementId: "url",
      Action: "lambda:InvokeFunctionUrl",
      FunctionUrlAuthType: "NONE",
    }),
  );
  await setting.lambda.send(
    new AddPermissionCommand({
      ...common,
      StatementId: "invoke",
      Action: "lambda:InvokeFunction",
      InvokedViaFunctionUrl: true,
    }),
  );
}

async function publicUrl(
  source: string,
  more: Partial<CreateFunctionUrlConfigCommandInput> = {},
): Promise<{ url: string; name: string }> {
  const name = await setting.create(source, { Timeout: 5 });
  const config = { AuthType: "NONE" as const, ...more, FunctionName: name };
  const { FunctionUrl: url = "" } = await setting.lambda.send(new CreateFunctionUrlConfigCommand(config));
  await makePublic(name);
  return { url, name };
}

const json = (body: Buffer) => JSON.parse(body.toString()) as Record<string, never>;

test("a function gets the request as payload format 2.0", async () => {
  const { url } = await publicUrl("export const handler = async (event) => event;");
  const { host, hostname, port } = new URL(url);
  const reply = await callUrl(url, {
    method: "POST",
    path: "a%20path/b?x=1&x=2&y=%C3%BC&empty=",
    headers: {
      "content-type": "application/json; charset=utf-8",
      cookie: "a=1; b=2",
      "x-many": ["one", "two"],
      "user-agent": "a test",
      "x-forwarded-for": "10.0.0.1",
    },
    body: '{"ü":1}',
  });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers["content-type"], "application/json");
  const { requestContext, headers, ...event } = json(reply.body) as Record<string, Record<string, never>>;
  assert.deepEqual(event, {
    version: "2.0",
    routeKey: "$default",
    rawPath: "/a%20path/b",
    rawQueryString: "x=1&x=2&y=%C3%BC&empty=",
    cookies: ["a=1", "b=2"],
    queryStringParameters: { x: "1,2", y: "ü", empty: "" },
    body: '{"ü":1}',
    isBase64Encoded: false,
  });
  const trace = headers?.["x-amzn-trace-id"] ?? "";
  assert.deepEqual(headers, {
    "content-type": "application/json; charset=utf-8",
    "content-length": "8",
    connection: "close",
    host,
    "x-many": "one,two",
    "user-agent": "a test",
    "x-amzn-trace-id": trace,
    "x-forwarded-for": "10.0.0.1, 127.0.0.1",
    "x-forwarded-port": port,
    "x-forwarded-proto": "http",
  });
  assert.match(trace, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};/);
  const { time, timeEpoch, ...context } = requestContext ?? {};
  const [urlId] = hostname.split(".");
  assert.deepEqual(context, {
    accountId: "anonymous",
    apiId: urlId,
    domainName: hostname,
    domainPrefix: urlId,
    http: {
      method: "POST",
      path: "/a%20path/b",
      protocol: "HTTP/1.1",
      sourceIp: "127.0.0.1",
      userAgent: "a test",
    },
    requestId: reply.headers["x-amzn-requestid"],
    routeKey: "$default",
    stage: "$default",
  });
  assert.match(time ?? "", /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
  assert.ok(Math.abs(Number(timeEpoch) - Date.now()) < 60_000);
});

test("a body that is no text is given as base64; no body, no cookies and no query are left out", async () => {
  const { url } = await publicUrl(
    "export const handler = async ({ body, isBase64Encoded, cookies, queryStringParameters }) => ({ body, isBase64Encoded, cookies, queryStringParameters });",
  );
  const post = async (type: string, body: string | Uint8Array) =>
    json((await callUrl(url, { method: "POST", headers: { "content-type": type }, body })).body);
  const bytes = Buffer.from([0, 255, 1]);
  const binary = { body: bytes.toString("base64"), isBase64Encoded: true };
  assert.deepEqual(await post("image/png", bytes), binary);
  assert.deepEqual(await post("application/x-www-form-urlencoded", "a=b"), {
    body: Buffer.from("a=b").toString("base64"),
    isBase64Encoded: true,
  });
  assert.deepEqual(await post("text/csv", "a,b"), { body: "a,b", isBase64Encoded: false });
  assert.deepEqual(await post("application/problem+json", "{}"), { body: "{}", isBase64Encoded: false });
  assert.deepEqual(json((await callUrl(url)).body), { isBase64Encoded: false });
});

test("an answer with a status says everything; any other is the body", async () => {
  const { url } = await publicUrl("export const handler = async ({ body }) => JSON.parse(body);");
  const answering = (value: unknown) =>
    callUrl(url, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: JSON.stringify(value),
    });
  const whole = await answering({
    statusCode: 201,
    headers: { "X-Own": "ü".normalize() && "yes", "content-type": "text/html", "content-length": "1", n: 7 },
    cookies: ["a=1; Secure", "b=2"],
    body: "<b>hello</b>",
  });
  assert.equal(whole.status, 201);
  assert.equal(whole.body.toString(), "<b>hello</b>");
  assert.deepEqual(
    [whole.headers["x-own"], whole.headers["content-type"], whole.headers["n"], whole.headers["set-cookie"]],
    ["yes", "text/html", "7", ["a=1; Secure", "b=2"]],
  );
  const bytes = Buffer.from([0, 255, 1]);
  const binary = await answering({
    statusCode: 200,
    body: bytes.toString("base64"),
    isBase64Encoded: true,
  });
  assert.deepEqual(binary.body, bytes);
  for (const [value, text] of [
    ["hello", "hello"],
    [{ a: 1 }, '{"a":1}'],
    [null, "null"],
    [[1], "[1]"],
    [7, "7"],
  ] as const) {
    const reply = await answering(value);
    assert.deepEqual(
      [reply.status, reply.headers["content-type"], reply.body.toString()],
      [200, "application/json", text],
    );
  }
  for (const broken of [
    { statusCode: 99 },
    { statusCode: "abc" },
    { statusCode: 200, body: {} },
    { statusCode: 200, headers: { "bad name": "x" } },
    { statusCode: 200, headers: { split: "a\r\nb: c" } },
    { statusCode: 200, cookies: "a=1" },
  ]) {
    const reply = await answering(broken);
    assert.deepEqual([reply.status, reply.body.toString()], [502, "Internal Server Error"]);
  }
});

test("a function that fails, is throttled, or is asked too much", async () => {
  const { url, name } = await publicUrl("export const handler = async () => { throw new Error(); };");
  const failed = await callUrl(url);
  assert.deepEqual([failed.status, failed.body.toString()], [502, "Internal Server Error"]);
  const large = await callUrl(url, { method: "POST", body: Buffer.alloc(6_291_457) });
  assert.equal(large.status, 413);
  assert.equal((await callUrl(url, { method: "TRACE" })).status, 405);
  await setting.lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }),
  );
  const throttled = await callUrl(url);
  assert.equal(throttled.status, 429);
  assert.equal(json(throttled.body)["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
});

test("requests to a URL are counted with their answers and how long they took", async () => {
  const source = "export const handler = async (e) => ({ statusCode: Number(e.rawPath.slice(1)) });";
  const { url, name } = await publicUrl(source);
  for (const path of ["200", "404", "429", "500"]) await callUrl(url, { path });
  const counted = async () => {
    const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
    const lines = text
      .split("\n")
      .filter((line) => line.includes(`"${name}"`) && /url.*_(total|count)\{/.test(line));
    return Object.fromEntries(lines.map((line) => [line.split("{")[0], Number(line.split(" ").at(-1))]));
  };
  // A request counts once its connection has taken the answer, which may be after the caller has it.
  for (let tries = 0; (await counted())["aws_lambda_url_request_count_total"] !== 4; tries++) {
    assert.ok(tries < 200, "not all requests are counted");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.deepEqual(await counted(), {
    aws_lambda_url_request_count_total: 4,
    aws_lambda_url4xx_count_total: 2,
    aws_lambda_url5xx_count_total: 1,
    aws_lambda_url_request_latency_milliseconds_count: 4,
  });
});

test("the URL of an alias calls the version behind it, with the alias's policy", async () => {
  const FunctionName = await setting.create("export const handler = async (e, c) => c.invokedFunctionArn;");
  await setting.lambda.send(new PublishVersionCommand({ FunctionName }));
  await setting.lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  const config = { FunctionName, Qualifier: "live", AuthType: "NONE" as const };
  const { FunctionUrl: url = "" } = await setting.lambda.send(new CreateFunctionUrlConfigCommand(config));
  await makePublic(FunctionName);
  assert.equal((await callUrl(url)).status, 403, "the policy of the function is not that of its alias");
  await makePublic(FunctionName, "live");
  assert.match((await callUrl(url)).body.toString(), /:function:[\w-]+:live$/);
});

test("CORS is answered by Lambda: preflights never reach the function, its own headers give way", async () => {
  const Cors = {
    AllowOrigins: ["https://example.com"],
    AllowMethods: ["GET", "PUT"],
    AllowHeaders: ["x-own"],
    ExposeHeaders: ["x-seen"],
    AllowCredentials: true,
    MaxAge: 300,
  };
  const { url, name } = await publicUrl(
    `export const handler = async ({ requestContext }) => ({ statusCode: 200, headers: { "access-control-allow-origin": "mine" }, body: requestContext.http.method });`,
    { Cors },
  );
  const ask = (origin: string, method = "GET") =>
    callUrl(url, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": method },
    });
  const allowed = await ask("https://example.com");
  assert.equal(allowed.status, 200);
  assert.equal(allowed.body.length, 0);
  const { headers } = allowed;
  assert.deepEqual(
    ["allow-origin", "allow-methods", "allow-headers", "allow-credentials", "max-age", "expose-headers"].map(
      (header) => headers[`access-control-${header}`],
    ),
    ["https://example.com", "GET,PUT", "x-own", "true", "300", "x-seen"],
  );
  const other = await ask("https://elsewhere.example");
  assert.equal(other.headers["access-control-allow-origin"], undefined);
  assert.equal(other.body.length, 0);
  const page = await callUrl(url, { headers: { origin: "https://example.com" } });
  assert.equal(page.body.toString(), "GET");
  assert.equal(page.headers["access-control-allow-origin"], "https://example.com");
  assert.equal(page.headers["access-control-expose-headers"], "x-seen");
  const plain = await callUrl(url, { method: "OPTIONS" });
  assert.equal(plain.body.toString(), "OPTIONS", "one that is no preflight is the function's");
  await setting.lambda.send(
    new UpdateFunctionUrlConfigCommand({ FunctionName: name, Cors: { AllowOrigins: ["*"] } }),
  );
  const star = await callUrl(url, { headers: { origin: "https://any.example" } });
  assert.equal(star.headers["access-control-allow-origin"], "*");
});

test("with RESPONSE_STREAM the first bytes are there before the function ends, with the status and headers it says", async () => {
  const { url } = await publicUrl(
    `export const handler = awslambda.streamifyResponse(async (event, stream) => {
       const metadata = { statusCode: 207, headers: { "Content-Type": "text/plain", "X-Own": "yes" }, cookies: ["a=1"] };
       const http = awslambda.HttpResponseStream.from(stream, metadata);
       http.write("first");
       await new Promise((resolve) => setTimeout(resolve, 1_500));
       http.write(" second");
       http.end();
     });`,
    { InvokeMode: "RESPONSE_STREAM" },
  );
  const reply = await openUrl(url);
  assert.equal(reply.statusCode, 207);
  assert.deepEqual(
    [reply.headers["content-type"], reply.headers["x-own"], reply.headers["set-cookie"]],
    ["text/plain", "yes", ["a=1"]],
  );
  const times: number[] = [];
  let text = "";
  for await (const piece of reply) {
    times.push(performance.now());
    text += String(piece);
  }
  assert.equal(text, "first second");
  assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > 1_000, "the first bytes came early");
});

test("a stream without metadata, one that breaks, and a function that does not stream", async () => {
  const streaming = (body: string) =>
    publicUrl(`export const handler = awslambda.streamifyResponse(async (event, stream) => { ${body} });`, {
      InvokeMode: "RESPONSE_STREAM",
    });
  const plain = await streaming(`stream.setContentType("text/css"); stream.write("b {}"); stream.end();`);
  const reply = await callUrl(plain.url);
  assert.deepEqual(
    [reply.status, reply.headers["content-type"], reply.body.toString()],
    [200, "text/css", "b {}"],
  );
  const broken = await streaming(
    `stream.write("part"); await new Promise((r) => setTimeout(r, 300)); throw new Error("broken");`,
  );
  await assert.rejects(callUrl(broken.url), { code: "ECONNRESET" });
  const never = await streaming(`throw new Error("before a byte");`);
  assert.equal((await callUrl(never.url)).status, 502);
  const odd = await streaming(
    `stream.setContentType("application/vnd.awslambda.http-integration-response"); stream.write("no metadata"); stream.end();`,
  );
  assert.equal((await callUrl(odd.url)).status, 502);
  const whole = await publicUrl("export const handler = async () => ({ statusCode: 418, body: 'x' });", {
    InvokeMode: "RESPONSE_STREAM",
  });
  const answer = await callUrl(whole.url);
  assert.deepEqual([answer.status, json(answer.body)], [200, { statusCode: 418, body: "x" }]);
});
