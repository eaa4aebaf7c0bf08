/** What subscribers are told, by each schema and protocol, and what becomes of what they do not take. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { EventContext } from "../platform-events.ts";
import { LOGS_RULES, TELEMETRY_RULES, readSubscription } from "./subscription.ts";
import type { Subscription } from "./subscription.ts";
import { Telemetry } from "./telemetry.ts";

const context: EventContext = {
  initializationType: "on-demand",
  functionName: "f",
  functionVersion: "$LATEST",
  instanceId: "2026/01/01/[$LATEST]0",
  memoryMb: 128,
};
const open = (isJson = false) => new Telemetry({ context, isJson, now: () => 0 });

function subscription(body: object, rules = TELEMETRY_RULES): Subscription {
  const read = readSubscription(Buffer.from(JSON.stringify(body)), rules);
  if ("problems" in read) throw new Error(read.problems.join("; "));
  return read;
}

interface Told {
  readonly time: string;
  readonly type: string;
  readonly record: unknown;
}

/** A subscriber by HTTP that collects what it is told, and answers as `respond` does. */
async function listen(respond: (response: ServerResponse) => void = (response) => response.end()) {
  const told: Told[] = [];
  const bodies: string[] = [];
  const server = createHttpServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    bodies.push(`${request.method} ${request.url} ${request.headers.host}`);
    told.push(...(JSON.parse(body) as Told[]));
    respond(response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { told, bodies, port, close: () => (server.closeAllConnections(), server.close()) };
}

test("a late subscriber hears of the init phase so far, by its own schema, and of its types alone", async (t) => {
  const telemetry = open();
  t.after(() => telemetry.close());
  telemetry.platform({ type: "initStart", phase: "init", runtimeVersion: "v", runtimeVersionArn: "arn" }, 0);
  telemetry.line("function", "one\n", 1);
  telemetry.line("extension", "two\n", 2);
  const early = await listen();
  const later = await listen();
  t.after(() => (early.close(), later.close()));
  for (const [name, schemaVersion, types, listener] of [
    ["early", "2022-07-01", ["platform"], early],
    ["later", "2022-12-13", ["platform", "extension"], later],
  ] as const)
    telemetry.subscribe(
      name,
      subscription({
        schemaVersion,
        types,
        destination: { protocol: "HTTP", URI: `http://sandbox.localdomain:${listener.port}/path` },
      }),
      "127.0.0.1",
    );
  telemetry.closeSubscriptions();
  await telemetry.flush();
  const base = {
    initializationType: "on-demand",
    phase: "init",
    runtimeVersion: "v",
    runtimeVersionArn: "arn",
  };
  assert.deepEqual(early.told, [
    { time: "1970-01-01T00:00:00.000Z", type: "platform.initStart", record: base },
  ]);
  assert.deepEqual(
    later.told.map(({ type, record }) => [type, record]),
    [
      [
        "platform.initStart",
        {
          ...base,
          functionName: "f",
          functionVersion: "$LATEST",
          instanceId: context.instanceId,
          instanceMaxMemory: 134_217_728,
        },
      ],
      ["extension", "two\n"],
    ],
  );
  assert.deepEqual(early.bodies, [`POST /path sandbox.localdomain:${early.port}`]);
});

test("TCP is newline-delimited JSON; JSON lines are objects; the Logs API has its own records", async (t) => {
  const telemetry = open(true);
  let text = "";
  const server = createServer((socket) =>
    socket.setEncoding("utf8").on("data", (chunk) => (text += String(chunk))),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  t.after(() => (telemetry.close(), server.close()));
  const destination = { protocol: "TCP", port };
  const types = ["platform", "function"];
  telemetry.subscribe("new", subscription({ schemaVersion: "2022-12-13", types, destination }), "127.0.0.1");
  telemetry.subscribe("old", subscription({ types, destination }, LOGS_RULES), "127.0.0.1");
  const ending = { requestId: "r", status: "error", errorType: "Runtime.ExitError", durationMs: 1 } as const;
  telemetry.line("function", '{"level":"INFO"}\n', 0);
  telemetry.platform({ type: "runtimeDone", ...ending, producedBytes: 2, startedAt: 0 }, 0);
  telemetry.platform({ type: "fault", message: "RequestId: r Process exited" }, 0);
  telemetry.platform({ type: "end", requestId: "r" }, 0);
  telemetry.platform({ type: "report", ...ending, memorySizeMb: 128, maxMemoryUsedMb: 9 }, 0);
  await telemetry.flush();
  while (text.split("\n").length < 8) await new Promise(setImmediate);
  const metrics = { durationMs: 1, billedDurationMs: 1, memorySizeMB: 128, maxMemoryUsedMB: 9 };
  const failed = { requestId: "r", status: "error", errorType: "Runtime.ExitError" };
  const told = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Told)
    .map(({ type, record }) => JSON.stringify([type, record]));
  const expected = [
    ["function", { level: "INFO" }],
    ["platform.runtimeDone", { ...failed, metrics: { durationMs: 1, producedBytes: 2 } }],
    ["platform.report", { ...failed, metrics }],
    ["function", '{"level":"INFO"}\n'],
    ["platform.fault", "RequestId: r Process exited"],
    ["platform.end", { requestId: "r" }],
    ["platform.report", { requestId: "r", metrics }],
  ].map((each) => JSON.stringify(each));
  assert.deepEqual(told.toSorted(), expected.toSorted());
});

test("who does not keep up loses what is above the buffer, and is told how much", async (t) => {
  const telemetry = open();
  const waiting: ServerResponse[] = [];
  let isSlow = true;
  const slow = await listen((response) => (isSlow ? waiting.push(response) : response.end()));
  t.after(() => (telemetry.close(), slow.close()));
  telemetry.subscribe(
    "slow",
    subscription({
      schemaVersion: "2022-12-13",
      types: ["function"],
      buffering: { maxItems: 1_000, maxBytes: 262_144, timeoutMs: 25 },
      destination: { protocol: "HTTP", URI: `http://sandbox:${slow.port}` },
    }),
    "127.0.0.1",
  );
  for (let i = 0; i < 5_000; i++) telemetry.line("function", `${i}`, 0);
  while (waiting.length === 0) await new Promise(setImmediate);
  isSlow = false;
  waiting[0]?.end();
  await telemetry.flush();
  const lines = slow.told.filter(({ type }) => type === "function");
  const dropped = slow.told.find(({ type }) => type === "platform.logsDropped");
  assert.ok(dropped);
  assert.equal(lines.length, 2_000, "one batch on its way, one behind it");
  const { droppedRecords, droppedBytes, reason } = dropped.record as Record<string, number>;
  assert.equal(droppedRecords, 3_000);
  assert.ok(droppedBytes && droppedBytes > 3_000 * 60);
  assert.match(String(reason), /fallen behind/);
});

test("who answers with errors, or a redirection, is offered a batch a few times, and then told that it is lost", async (t) => {
  const telemetry = open();
  let answers = 0;
  const bad = await listen((response) => {
    answers += 1;
    if (answers <= 5) response.writeHead(answers % 2 ? 500 : 302, { Location: "http://127.0.0.1:1/" });
    response.end();
  });
  t.after(() => (telemetry.close(), bad.close()));
  telemetry.subscribe(
    "bad",
    subscription({
      schemaVersion: "2022-12-13",
      types: ["function"],
      destination: { protocol: "HTTP", URI: `http://sandbox:${bad.port}` },
    }),
    "127.0.0.1",
  );
  telemetry.line("function", "lost", 0);
  await telemetry.flush();
  assert.equal(answers, 5);
  telemetry.line("function", "told", 0);
  await telemetry.flush();
  const [report, line] = bad.told.slice(5);
  assert.ok(report);
  assert.equal((report.record as { droppedRecords: number }).droppedRecords, 1);
  assert.equal(line?.record, "told");
});

test("while a sandbox is frozen nothing is sent, and all of it when it is thawed", async (t) => {
  const telemetry = open();
  const listener = await listen();
  t.after(() => (telemetry.close(), listener.close()));
  telemetry.subscribe(
    "x",
    subscription({
      schemaVersion: "2022-12-13",
      types: ["function"],
      buffering: { timeoutMs: 25 },
      destination: { protocol: "HTTP", URI: `http://sandbox:${listener.port}` },
    }),
    "127.0.0.1",
  );
  telemetry.pause();
  telemetry.line("function", "kept", 0);
  await telemetry.flush();
  assert.deepEqual(listener.told, []);
  telemetry.resume();
  await telemetry.flush();
  assert.deepEqual(
    listener.told.map(({ record }) => record),
    ["kept"],
  );
});
