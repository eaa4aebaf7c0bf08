/** CloudWatch Logs: events in, and out again in order, filtered, and live. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  paginateFilterLogEvents,
  paginateGetLogEvents,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  StartLiveTailCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type {
  FilterLogEventsCommandInput,
  GetLogEventsCommandInput,
  InputLogEvent,
} from "@aws-sdk/client-cloudwatch-logs";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

let server: TestServer;
let logs: CloudWatchLogsClient;
before(async () => {
  server = await startServer();
  logs = new CloudWatchLogsClient({ ...server.client(), disableHostPrefix: true });
});
after(async () => {
  logs.destroy();
  await server.stop();
});

const DAY_MS = 86_400_000;
const fails = (work: Promise<unknown>, name: string, message: string | RegExp) =>
  assert.rejects(work, { name, message });

async function makeStreams(logGroupName: string, ...names: string[]): Promise<void> {
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  for (const logStreamName of names)
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
}
const put = (logGroupName: string, logStreamName: string, logEvents: InputLogEvent[]) =>
  logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
const get = (logGroupName: string, more: Partial<GetLogEventsCommandInput> = {}) =>
  logs.send(new GetLogEventsCommand({ logGroupName, logStreamName: "s", ...more }));
const filter = (logGroupName: string, more: Partial<FilterLogEventsCommandInput> = {}) =>
  logs.send(new FilterLogEventsCommand({ logGroupName, ...more }));
const messages = (answer: { events?: { message?: string | undefined }[] | undefined }) =>
  (answer.events ?? []).map((event) => event.message);

test("PutLogEvents keeps events, and GetLogEvents gives them in order of time", async () => {
  await makeStreams("order", "s");
  const now = Date.now();
  await put("order", "s", [
    { timestamp: now - 2_000, message: "b" },
    { timestamp: now, message: "d ü \u0000 end" },
  ]);
  // A later request may bring earlier events, and events between.
  await put("order", "s", [
    { timestamp: now - 3_000, message: "a" },
    { timestamp: now - 1_000, message: "c" },
  ]);
  const answer = await get("order", { startFromHead: true });
  assert.deepEqual(messages(answer), ["a", "b", "c", "d ü \u0000 end"]);
  assert.equal(answer.events?.[0]?.timestamp, now - 3_000);
  assert.ok((answer.events?.[0]?.ingestionTime ?? 0) >= now);
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "order" }));
  assert.equal(logGroups?.[0]?.storedBytes, 4 * 26 + 13);
});

test("PutLogEvents refuses batches that break its rules, in AWS's words", async () => {
  await makeStreams("rules", "s");
  const now = Date.now();
  await fails(
    put("rules", "s", [
      { timestamp: now, message: "late" },
      { timestamp: now - 1, message: "early" },
    ]),
    "InvalidParameterException",
    "Log events in a single PutLogEvents request must be in chronological order.",
  );
  await fails(
    put("rules", "s", [
      { timestamp: now - DAY_MS - 1, message: "a" },
      { timestamp: now, message: "b" },
    ]),
    "InvalidParameterException",
    "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
  );
  await fails(
    put("rules", "s", [{ timestamp: now, message: "x".repeat(1_048_576) }]),
    "InvalidParameterException",
    "Log event too large: 1048602 bytes exceeds limit of 1048576",
  );
  await fails(
    put("rules", "s", [
      { timestamp: now, message: "x".repeat(600_000) },
      { timestamp: now, message: "y".repeat(600_000) },
    ]),
    "InvalidParameterException",
    "Upload too large: 1200052 bytes exceeds limit of 1048576",
  );
  await fails(
    put("nowhere", "s", [{ timestamp: now, message: "x" }]),
    "ResourceNotFoundException",
    /log group/,
  );
  await fails(
    put("rules", "t", [{ timestamp: now, message: "x" }]),
    "ResourceNotFoundException",
    /log stream/,
  );
  await fails(put("rules", "s", [{ timestamp: now, message: "" }]), "InvalidParameterException", /message/);
  assert.deepEqual(messages(await get("rules")), []);
});

test("PutLogEvents says which events are too old, expired or too new, and keeps the others", async () => {
  await makeStreams("sieve", "s");
  await logs.send(new PutRetentionPolicyCommand({ logGroupName: "sieve", retentionInDays: 3 }));
  const now = Date.now();
  const answer = await put("sieve", "s", [
    { timestamp: now - 15 * DAY_MS, message: "too old" },
    { timestamp: now - 4 * DAY_MS, message: "expired" },
    { timestamp: now, message: "kept" },
    { timestamp: now + 3 * 3_600_000, message: "too new" },
  ]);
  assert.deepEqual(answer.rejectedLogEventsInfo, {
    tooOldLogEventEndIndex: 1,
    expiredLogEventEndIndex: 2,
    tooNewLogEventStartIndex: 3,
  });
  assert.match(answer.nextSequenceToken ?? "", /^\d{56}$/);
  assert.deepEqual(messages(await get("sieve")), ["kept"]);
});

test("GetLogEvents hides events that have expired by a new retention", async () => {
  await makeStreams("expiring", "s");
  const now = Date.now();
  await put("expiring", "s", [{ timestamp: now - 2 * DAY_MS, message: "old" }]);
  await put("expiring", "s", [{ timestamp: now, message: "new" }]);
  assert.deepEqual(messages(await get("expiring")), ["old", "new"]);
  await logs.send(new PutRetentionPolicyCommand({ logGroupName: "expiring", retentionInDays: 1 }));
  assert.deepEqual(messages(await get("expiring")), ["new"]);
  assert.deepEqual(messages(await filter("expiring")), ["new"]);
});

test("GetLogEvents' tokens lead both ways, and come to rest at both ends", async () => {
  await makeStreams("tokens", "s");
  const now = Date.now();
  for (let n = 0; n < 10; n++) await put("tokens", "s", [{ timestamp: now - 5, message: `m${n}` }]);
  const last = await get("tokens", { limit: 3 });
  assert.deepEqual(messages(last), ["m7", "m8", "m9"]);
  const before = await get("tokens", { limit: 3, nextToken: last.nextBackwardToken });
  assert.deepEqual(messages(before), ["m4", "m5", "m6"]);
  const again = await get("tokens", { limit: 3, nextToken: before.nextForwardToken });
  assert.deepEqual(messages(again), ["m7", "m8", "m9"]);
  const end = await get("tokens", { nextToken: again.nextForwardToken });
  assert.deepEqual([end.events, end.nextForwardToken], [[], again.nextForwardToken]);
  await put("tokens", "s", [{ timestamp: now, message: "m10" }]);
  assert.deepEqual(messages(await get("tokens", { nextToken: end.nextForwardToken })), ["m10"]);
  const head = await get("tokens", { limit: 2, startFromHead: true });
  assert.deepEqual(messages(head), ["m0", "m1"]);
  const start = await get("tokens", { nextToken: head.nextBackwardToken });
  assert.deepEqual([start.events, start.nextBackwardToken], [[], head.nextBackwardToken]);
  await fails(
    get("tokens", { nextToken: "nonsense" }),
    "InvalidParameterException",
    "The specified nextToken is invalid.",
  );
});

test("GetLogEvents keeps to a time range, its end excluded, and to a megabyte", async () => {
  await makeStreams("range", "s");
  const now = Date.now();
  for (let n = 0; n < 3; n++)
    await put("range", "s", [{ timestamp: now + n, message: `${n}${"x".repeat(500_000)}` }]);
  const range = await get("range", { startTime: now + 1, endTime: now + 2 });
  assert.deepEqual(
    range.events?.map((event) => event.timestamp),
    [now + 1],
  );
  const seen: (number | undefined)[] = [];
  let pages = 0;
  for await (const page of paginateGetLogEvents(
    { client: logs, stopOnSameToken: true },
    { logGroupName: "range", logStreamName: "s", startFromHead: true },
  )) {
    pages++;
    seen.push(...(page.events ?? []).map((event) => event.timestamp));
  }
  assert.deepEqual([seen, pages], [[now, now + 1, now + 2], 3]);
});

/** All pages of the group `mixed`. */
async function collect(more: object) {
  const found: (string | undefined)[] = [];
  let pages = 0;
  for await (const page of paginateFilterLogEvents(
    { client: logs },
    { logGroupName: "mixed", limit: 70, ...more },
  )) {
    pages++;
    found.push(...messages(page));
  }
  return { found, pages };
}

test("FilterLogEvents interleaves streams in order of time, page by page", async () => {
  await makeStreams("mixed", "a", "b", "other");
  const now = Date.now();
  const expected: string[] = [];
  for (let n = 0; n < 200; n++) {
    const stream = n % 3 === 0 ? "a" : "b";
    expected.push(`${stream}${n}`);
    await put("mixed", stream, [{ timestamp: now - 1_000 + n, message: `${stream}${n}` }]);
  }
  await put("mixed", "other", [{ timestamp: now, message: "not wanted" }]);
  const named = await collect({ logStreamNames: ["a", "b"] });
  assert.deepEqual(named.found, expected);
  assert.ok(named.pages >= 3);
  const prefixed = await collect({ logStreamNamePrefix: "b", startTime: now - 1_000, endTime: now - 990 });
  assert.deepEqual(prefixed.found, ["b1", "b2", "b4", "b5", "b7", "b8", "b10"]);
  const backwards = await collect({ startFromHead: false, startTime: now - 1_000 });
  assert.deepEqual(backwards.found, ["not wanted", ...expected.toReversed()]);
  const [first] = (await filter("mixed", { limit: 1 })).events ?? [];
  assert.equal(first?.logStreamName, "a");
  assert.match(first?.eventId ?? "", /^\d{56}$/);
  await fails(
    filter("mixed", { logStreamNames: ["ghost"] }),
    "ResourceNotFoundException",
    "The specified log stream does not exist.",
  );
  await fails(
    filter("mixed", { logStreamNames: ["a"], logStreamNamePrefix: "a" }),
    "InvalidParameterException",
    /mutually exclusive/,
  );
});

test("FilterLogEvents speaks the filter pattern language", async () => {
  await makeStreams("patterns", "s");
  const now = Date.now();
  const lines = [
    "ERROR out of memory",
    "INFO all is well",
    '{"level":"error","status":503,"tags":["x"]}',
    '127.0.0.1 - - [now] "GET / HTTP/1.1" 404 12',
  ];
  await put(
    "patterns",
    "s",
    lines.map((message, n) => ({ timestamp: now + n, message })),
  );
  const cases: [pattern: string, lines: number[]][] = [
    ["", [0, 1, 2, 3]],
    ["ERROR", [0]],
    ['"out of memory"', [0]],
    ["?ERROR ?INFO", [0, 1]],
    ["%^[EI][A-Z]+%", [0, 1]],
    ["{ $.status >= 500 && $.tags[0] = x }", [2]],
    ["[ip, ..., status = 4*, bytes]", [3]],
  ];
  for (const [filterPattern, expected] of cases)
    assert.deepEqual(
      messages(await filter("patterns", { filterPattern })),
      expected.map((n) => lines[n]),
      filterPattern,
    );
  await fails(
    filter("patterns", { filterPattern: "foo-bar" }),
    "InvalidParameterException",
    "Invalid character(s) in term 'foo-bar'",
  );
  await fails(
    filter("patterns", { filterPattern: "{ $.a" }),
    "InvalidParameterException",
    "Invalid filter pattern",
  );
});

test("StartLiveTail shows matching events as they arrive", async () => {
  await makeStreams("live", "wanted-1", "other");
  const arn = "arn:aws:logs:us-east-1:000000000000:log-group:live";
  const { responseStream } = await logs.send(
    new StartLiveTailCommand({
      logGroupIdentifiers: [arn],
      logStreamNamePrefixes: ["wanted"],
      logEventFilterPattern: "yes",
    }),
  );
  const now = Date.now();
  let started = false;
  for await (const event of responseStream ?? []) {
    if (event.sessionStart) {
      started = true;
      assert.deepEqual(event.sessionStart.logGroupIdentifiers, [arn]);
      await put("live", "other", [{ timestamp: now, message: "yes, but elsewhere" }]);
      await put("live", "wanted-1", [
        { timestamp: now, message: "no" },
        { timestamp: now, message: "yes" },
      ]);
    } else if (event.sessionUpdate) {
      const { sessionMetadata, sessionResults } = event.sessionUpdate;
      if (sessionResults?.length === 0) continue;
      assert.equal(sessionMetadata?.sampled, false);
      assert.deepEqual(
        sessionResults?.map((one) => [one.logStreamName, one.logGroupIdentifier, one.message, one.timestamp]),
        [["wanted-1", arn, "yes", now]],
      );
      break;
    }
  }
  assert.ok(started);
  await fails(
    logs.send(new StartLiveTailCommand({ logGroupIdentifiers: [`${arn}-not`] })),
    "ResourceNotFoundException",
    /log group/,
  );
});

test("StartLiveTail samples more than 500 events a second", async () => {
  await makeStreams("busy", "s");
  const { responseStream } = await logs.send(
    new StartLiveTailCommand({
      logGroupIdentifiers: ["arn:aws:logs:us-east-1:000000000000:log-group:busy"],
    }),
  );
  const now = Date.now();
  for await (const event of responseStream ?? []) {
    if (event.sessionStart)
      await put(
        "busy",
        "s",
        Array.from({ length: 2_000 }, (_, n) => ({ timestamp: now + n, message: `${n}` })),
      );
    if (!event.sessionUpdate?.sessionResults?.length) continue;
    assert.equal(event.sessionUpdate.sessionMetadata?.sampled, true);
    const shown = event.sessionUpdate.sessionResults.map((one) => Number(one.message));
    assert.equal(shown.length, 500);
    assert.deepEqual(
      shown,
      shown.toSorted((a, b) => a - b),
    );
    break;
  }
});
