/** Reserved concurrency: the operations, the 429s, and what it does for a function beside one that floods. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import type { TooManyRequestsException } from "@aws-sdk/client-lambda";
import { startServer } from "../harness/server.ts";
import { ACCOUNT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const SLEEP = `export const handler = async (e) => { await new Promise((r) => setTimeout(r, e.ms ?? 0)); return "done"; };`;
const EMPTY = { Runtime: "provided.al2023" } as const;
const RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

function reserve(FunctionName: string, ReservedConcurrentExecutions: number, { lambda } = setting) {
  return lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
}

async function unreserved(): Promise<number | undefined> {
  const { AccountLimit } = await setting.lambda.send(new GetAccountSettingsCommand({}));
  assert.equal(AccountLimit?.ConcurrentExecutions, 1_000);
  return AccountLimit?.UnreservedConcurrentExecutions;
}

/** How a call that must be refused is refused. */
async function refusal(call: Promise<unknown>): Promise<TooManyRequestsException> {
  return call.then(
    () => assert.fail("the call was not refused"),
    (error: TooManyRequestsException) => error,
  );
}

test("PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency", async () => {
  const FunctionName = await setting.create(SLEEP);
  const { lambda } = setting;
  const get = async () => {
    const { ReservedConcurrentExecutions } = await lambda.send(
      new GetFunctionConcurrencyCommand({ FunctionName }),
    );
    const { Concurrency } = await lambda.send(new GetFunctionCommand({ FunctionName }));
    assert.equal(Concurrency?.ReservedConcurrentExecutions, ReservedConcurrentExecutions);
    return ReservedConcurrentExecutions;
  };
  assert.equal(await get(), undefined);
  const put = await reserve(FunctionName, 300);
  assert.deepEqual([put.$metadata.httpStatusCode, put.ReservedConcurrentExecutions], [200, 300]);
  assert.equal(await get(), 300);
  assert.equal(await unreserved(), 700);
  await reserve(`${ACCOUNT}:function:${FunctionName}`, 0);
  assert.equal(await get(), 0);
  assert.equal(await unreserved(), 1_000);
  await reserve(FunctionName, 10);
  const deleted = await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  assert.equal(deleted.$metadata.httpStatusCode, 204);
  assert.equal(await get(), undefined);
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
});

test("PutFunctionConcurrency leaves 100 unreserved, counted over the account's functions in the region", async () => {
  const [one, two] = [await setting.create(SLEEP), await setting.create(SLEEP)];
  await reserve(one, 500);
  const message =
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].";
  await assert.rejects(reserve(two, 401), { name: "InvalidParameterValueException", message });
  await reserve(two, 400);
  assert.equal(await unreserved(), 100);
  await assert.rejects(reserve(one, 501), { message });
  await reserve(one, 499);
  const elsewhere = new LambdaClient(setting.server.client({ account: "111122223333" }));
  const { AccountLimit } = await elsewhere.send(new GetAccountSettingsCommand({}));
  assert.equal(AccountLimit?.UnreservedConcurrentExecutions, 1_000);
  for (const FunctionName of [one, two])
    await setting.lambda.send(new DeleteFunctionCommand({ FunctionName }));
  assert.equal(await unreserved(), 1_000);
});

test("PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency refuse what is no function of the caller's", async () => {
  const FunctionName = await setting.create(SLEEP);
  const { lambda } = setting;
  await assert.rejects(reserve("nobody", 1), {
    name: "ResourceNotFoundException",
    message: `Function not found: arn:aws:lambda:us-east-1:${ACCOUNT}:function:nobody`,
  });
  await assert.rejects(lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: "nobody" })), {
    name: "ResourceNotFoundException",
  });
  await assert.rejects(lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: "nobody" })), {
    name: "ResourceNotFoundException",
  });
  await assert.rejects(reserve(`${FunctionName}:1`, 1), {
    name: "InvalidParameterValueException",
    message: /^This operation is permitted on Lambda functions only\./,
  });
  await assert.rejects(reserve(FunctionName, -1), { name: "ValidationException" });
  const stranger = new LambdaClient(setting.server.client({ account: "111122223333" }));
  await assert.rejects(
    reserve(`arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}`, 1, {
      ...setting,
      lambda: stranger,
    }),
    { name: "AccessDeniedException" },
  );
});

test("a reservation holds over all versions of a function; one call too many is 429 with its reason", async () => {
  const FunctionName = await setting.create(SLEEP);
  const { lambda } = setting;
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  await reserve(FunctionName, 2);
  const running = [
    setting.invoke(FunctionName, { ms: 1_500 }),
    setting.invoke(`${FunctionName}:1`, { ms: 1_500 }),
  ];
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const name of [FunctionName, `${FunctionName}:1`, `${FunctionName}:live`]) {
    const refused = await refusal(setting.invoke(name, {}));
    assert.equal(refused.name, "TooManyRequestsException");
    assert.equal(refused.$metadata.httpStatusCode, 429);
    assert.equal(refused.Reason, RESERVED);
    assert.equal(refused.Type, "User");
    assert.equal(refused.message, "Rate Exceeded.");
  }
  for (const answer of await Promise.all(running)) assert.equal(answer.value, "done");
});

test("a reservation of 0 switches a function off at once, and asynchronous calls are still taken", async () => {
  const FunctionName = await setting.create(SLEEP);
  await setting.invoke(FunctionName, {});
  await reserve(FunctionName, 0);
  assert.equal((await refusal(setting.invoke(FunctionName, {}))).Reason, RESERVED);
  const { StatusCode } = await setting.lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: "Event" }),
  );
  assert.equal(StatusCode, 202);
  await setting.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  assert.equal((await setting.invoke(FunctionName, {})).value, "done");
});

test("requests a second are ten times the reservation, and the answer says when to come again", async () => {
  const FunctionName = await setting.create(SLEEP);
  await setting.invoke(FunctionName, {});
  await reserve(FunctionName, 1);
  const refused = await refusal(
    (async () => {
      for (let n = 0; n < 500; n++) await setting.invoke(FunctionName, {});
    })(),
  );
  assert.equal(refused.Reason, "ReservedFunctionInvocationRateLimitExceeded");
  assert.equal(refused.retryAfterSeconds, "1");
});

test("a reserved function is answered while another is flooded with five hundred calls at once", async (t) => {
  const small = await startSetting({ sandbox: "process", environmentsMax: 12 });
  t.after(() => small.server.stop());
  const [flooded, reserved] = [await small.create(SLEEP), await small.create(SLEEP)];
  await reserve(reserved, 5, small);
  const flood = Promise.allSettled(Array.from({ length: 500 }, () => small.invoke(flooded, { ms: 300 })));
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => small.invoke(reserved, { ms: 20 })));
    for (const { value } of answers) assert.equal(value, "done");
  }
  const refused = (await flood).flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  assert.ok(refused.length > 0 && refused.length < 500, `${refused.length} of the flood were refused`);
  for (const error of refused) assert.equal(error.Reason, "ConcurrentInvocationLimitExceeded");
});

test("a function begins 1,000 environments and 100 more a second; one call too many is 429, and only of that function", async (t) => {
  const small = await startSetting({ sandbox: "process" });
  t.after(() => small.server.stop());
  // A package without a program: each call begins an environment, and no process is to be booted for it.
  const [burst, other] = await Promise.all([small.create(SLEEP, EMPTY), small.create(SLEEP, EMPTY)]);
  const begin = async (FunctionName: string) =>
    assert.equal((await small.invoke(FunctionName, {})).error, "Unhandled");
  const beginUntilRefused = async (FunctionName: string) => {
    let begun = 0;
    const refused: TooManyRequestsException[] = [];
    while (refused.length === 0 && begun < 5_000)
      for (const call of await Promise.allSettled(Array.from({ length: 50 }, () => begin(FunctionName)))) {
        if (call.status === "fulfilled") begun++;
        else refused.push(call.reason);
      }
    return { begun, refused };
  };
  const before = performance.now();
  const { begun, refused } = await beginUntilRefused(burst);
  const seconds = (performance.now() - before) / 1_000;
  assert.ok(begun >= 1_000 && begun <= 1_000 + 100 * seconds, `${begun} were begun in ${seconds} s`);
  for (const error of refused) {
    assert.equal(error.name, "TooManyRequestsException");
    assert.equal(error.$metadata.httpStatusCode, 429);
    assert.equal(error.Reason, "ConcurrentInvocationLimitExceeded");
    assert.equal(error.Type, "User");
    assert.equal(error.message, "Rate Exceeded.");
  }
  await begin(other);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await begin(burst);
  // A reservation brings no more of them, and names itself; fifty at once are within it.
  await reserve(burst, 100, small);
  for (const error of (await beginUntilRefused(burst)).refused) assert.equal(error.Reason, RESERVED);
});

test("reservations hold after a restart", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startSetting({ dataDir, sandbox: "process" });
  const FunctionName = await first.create(SLEEP);
  await reserve(FunctionName, 0, first);
  await first.server.stop();
  const server = await startServer({ dataDir, sandbox: "process" });
  t.after(() => server.stop());
  const lambda = new LambdaClient(server.client());
  assert.equal((await refusal(lambda.send(new InvokeCommand({ FunctionName })))).Reason, RESERVED);
});
