/** `/_lambent/metrics`: what Prometheus reads, and the 429 that a count in it stands for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { startSetting } from "../conformance/lambda-setting.ts";
import { startServer } from "../harness/server.ts";

test("an account's limit answers 429 with AWS's body, and metrics tell of it in Prometheus's text format", async (t) => {
  const setting = await startSetting({ sandbox: "process", concurrencyMax: 1 });
  const { server, lambda } = setting;
  t.after(() => server.stop());
  const FunctionName = await setting.create(
    "export const handler = async () => { await new Promise((r) => setTimeout(r, 700)); return 1; };",
  );
  const send = () => lambda.send(new InvokeCommand({ FunctionName }));
  const [first, second] = await Promise.allSettled([send(), send()]);
  const refused = first?.status === "rejected" ? first.reason : (second as PromiseRejectedResult).reason;
  assert.equal(refused.name, "TooManyRequestsException");
  assert.equal(refused.$metadata.httpStatusCode, 429);
  assert.equal(refused.Reason, "ConcurrentInvocationLimitExceeded");
  assert.equal(refused.Type, "User");
  assert.equal(refused.message, "Rate Exceeded.");
  assert.equal(refused.retryAfterSeconds, undefined);
  const answer = await fetch(`${server.endpoint}/_lambent/metrics`);
  assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await answer.text();
  const labels = `{account="000000000000",region="us-east-1",function_name="${FunctionName}",resource="${FunctionName}"}`;
  assert.ok(
    text.includes(`# TYPE aws_lambda_invocations_total counter\naws_lambda_invocations_total${labels} 1\n`),
  );
  assert.match(text, new RegExp(`^aws_lambda_throttles_total${labels} [1-9]`, "m"));
  assert.match(text, new RegExp(`^aws_lambda_duration_milliseconds_count${labels} 1$`, "m"));
  assert.match(text, /^aws_lambda_concurrent_executions\{account="000000000000",region="us-east-1"\} 1$/m);
  assert.equal((await fetch(`${server.endpoint}/_lambent/metrics`, { method: "POST" })).status, 405);
});

test("with authentication on, this machine reads the metrics without a signature, and nobody through a proxy on it", async (t) => {
  const server = await startServer({ auth: "on" });
  t.after(() => server.stop());
  const address = `${server.endpoint}/_lambent/metrics`;
  assert.equal((await fetch(address)).status, 200);
  const handedOn = await fetch(address, { headers: { "x-forwarded-for": "198.51.100.7" } });
  assert.equal(handedOn.status, 403);
  assert.match(await handedOn.text(), /to this machine only/);
});
