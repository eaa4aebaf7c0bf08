/** The query language of Logs Insights, by tables: what each part answers, and where what is wrong is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryError, QueryLimitError } from "./error.ts";
import { parseQuery } from "./parse-query.ts";
import { planQuery } from "./plan.ts";
import { Quantiles } from "./quantiles.ts";

const AT = Date.UTC(2026, 0, 31, 12, 0, 0);
const TIMES = { now: AT, fromAt: AT - 3_600_000, toAt: AT };
const REQUEST = "8f507cfc-52bb-4ee7-b3b9-5d4a1a2b3c4d";
const REPORT =
  `REPORT RequestId: ${REQUEST}\tDuration: 133.61 ms\tBilled Duration: 214 ms\tMemory Size: 128 MB\t` +
  "Max Memory Used: 31 MB\tInit Duration: 80.00 ms\t";

/** The newest first. */
const MESSAGES = [
  JSON.stringify({ level: "error", ms: 250, user: { id: 7, name: "Ann" }, tags: ["a", "b"], ok: false }),
  JSON.stringify({ level: "info", ms: 20, user: { id: 8, name: "Bob" }, ok: true, "dotted.name": 5 }),
  JSON.stringify({ level: "info", ms: 40, user: { id: 7, name: "Ann" }, code: "42" }),
  "user=carl, method:GET, latency := 12",
  "10.1.2.3 plain ERROR line",
  REPORT,
];

function run(query: string, messages: readonly string[] = MESSAGES, limit = 10_000): string[][] {
  const commands = parseQuery(query);
  const plan = planQuery(commands, { limit, times: TIMES, isOrdered: true });
  for (const [index, message] of messages.entries())
    plan.take({
      at: AT - index * 60_000,
      ingestedAt: AT,
      message,
      logStream: `s${index % 2}`,
      log: "000000000000:/aws/lambda/f",
      pointer: `p${index}`,
    });
  return plan.finish().map((row) => row.filter(([name]) => name !== "@ptr").map(([, value]) => value));
}

const CASES: readonly [query: string, rows: readonly (readonly string[])[]][] = [
  // Fields, JSON and what is found by itself.
  ["fields @logStream, @log | limit 1", [["s0", "000000000000:/aws/lambda/f"]]],
  ["filter level = 'error' | fields level, user.name, tags.1, ok", [["error", "Ann", "b", "0"]]],
  ["filter ok | fields dotted.name", [["5"]]],
  ["filter ok = true | fields `dotted.name` as d", [["5"]]],
  ["filter isPresent(tags) | fields user, tags", [['{"id":7,"name":"Ann"}', '["a","b"]']]],
  [
    "filter @type = 'REPORT' | fields @requestId, @duration, @billedDuration, @memorySize / 1000 / 1000, @maxMemoryUsed, @initDuration",
    [[REQUEST, "133.61", "214", "128", "31000000", "80"]],
  ],
  ["fields @timestamp | limit 1", [["2026-01-31 12:00:00.000"]]],
  ["fields @message | sort @timestamp asc | limit 1", [[REPORT]]],
  ["# a comment\nfields level # another\n| limit 1", [["error"]]],
  // Filters.
  ["filter ms > 30 | fields ms", [["250"], ["40"]]],
  ["filter ms >= 40 and level = 'info' or ms > 200 | fields ms", [["250"], ["40"]]],
  ["filter not (ms > 30) and ispresent(ms) | fields ms", [["20"]]],
  ["filter code = 42 | fields code", [["42"]]],
  ["filter level != 'info' | stats count(*)", [["4"]]],
  ["filter @message like 'ERROR' | fields @logStream", [["s0"]]],
  ["filter @message like /(?i)error/ | stats count(*) as n", [["2"]]],
  ["filter @message =~ /^\\d+\\./ | fields substr(@message, 0, 8)", [["10.1.2.3"]]],
  ['filter @message not like /"/ | stats count(*)', [["3"]]],
  ["filter level in ['error', 'warn'] | fields ms", [["250"]]],
  ["filter level not in ['info'] and ispresent(level) | fields ms", [["250"]]],
  ["filter user.id in [7] | stats count()", [["2"]]],
  // Parse.
  [
    'parse @message "user=*, method:*, latency := *" as who, how, took | filter who = "carl" | display who, how, took',
    [["carl", "GET", "12"]],
  ],
  [
    "parse @message /user=(?<who>\\w+), method:(?<how>\\w+)/ | filter ispresent(who) | display how",
    [["GET"]],
  ],
  ["parse 'latency := *' as took | filter took > 5 | display took * 2", [["24"]]],
  ["parse user.name '*n' as start | filter start = 'A' | stats count(*)", [["2"]]],
  // Stats.
  ["stats count(*) by level | sort level", [["error", "1"], ["info", "2"], ["3"]]],
  [
    "filter ispresent(ms) | stats sum(ms), avg(ms) as a, min(ms), max(ms), count_distinct(user.id)",
    [["310", "103.333333333", "20", "250", "2"]],
  ],
  ["stats max(ms) - min(ms) as spread", [["230"]]],
  ["stats pct(ms, 50), pct(ms, 100), stddev(ms) as s", [["40", "250", "127.410099024"]]],
  ["stats latest(ms), earliest(ms), sortsFirst(level), sortsLast(level)", [["250", "40", "error", "info"]]],
  [
    "stats count(*) by bin(3m) | sort `bin(3m)` desc",
    [
      ["2026-01-31 12:00:00.000", "1"],
      ["2026-01-31 11:57:00.000", "3"],
      ["2026-01-31 11:54:00.000", "2"],
    ],
  ],
  ["stats count(*) as n by @logStream | stats max(n)", [["3"]]],
  ["stats count(nothing)", [["0"]]],
  ["filter level = 'nobody' | stats count(*), max(ms)", [["0"]]],
  // Order, limits, duplicates.
  ["filter ispresent(ms) | fields ms | sort ms desc", [["250"], ["40"], ["20"]]],
  ["filter ispresent(ms) | sort level, ms desc | fields ms", [["250"], ["40"], ["20"]]],
  ["filter ispresent(ms) | sort ms | limit 2 | fields ms", [["20"], ["40"]]],
  ["filter ispresent(ms) | dedup level | fields ms", [["250"], ["20"]]],
  ["filter ispresent(ms) | dedup level, ms | stats count(*)", [["3"]]],
  // Functions.
  ["fields abs(-2), ceil(1.2), floor(1.8), sqrt(9), log(1) | limit 1", [["2", "2", "1", "3", "0"]]],
  [
    "fields greatest(1, 3, 2), least(2, 1, 3), 7 % 4, 2 ^ 3 ^ 2, -(1 + 2) * 3 | limit 1",
    [["3", "1", "3", "512", "-9"]],
  ],
  ["fields coalesce(nothing, level, 'x') | limit 1", [["error"]]],
  ["fields isempty(''), isempty(level), isblank('  '), isempty(nothing) | limit 1", [["1", "0", "1", "1"]]],
  [
    "fields concat('a', 1, level), strlen('größe'), toupper('ab'), tolower('AB') | limit 1",
    [["a1error", "5", "AB", "ab"]],
  ],
  [
    "fields trim('  a '), ltrim('xxa', 'x'), rtrim('axx', 'x'), substr('abcdef', 2, 3) | limit 1",
    [["a", "a", "a", "cde"]],
  ],
  ["fields replace('a.b.c', '.', '$&'), strcontains('abc', 'bc') | limit 1", [["a$&b$&c", "1"]]],
  ['fields jsonParse(\'{"a":{"b":5}}\') as j | fields j.a.b + 1 as sum | display sum | limit 1', [["6"]]],
  [
    "fields datefloor(@timestamp, 1h) as h, dateceil(@timestamp - 1, 1h) as c | limit 1",
    [["2026-01-31 12:00:00.000", "2026-01-31 12:00:00.000"]],
  ],
  [
    "fields toMillis(@timestamp), fromMillis(0), now() | limit 1",
    [[`${AT}`, "1970-01-01 00:00:00.000", `${AT / 1000}`]],
  ],
  ["fields bin(1mo), bin(1y) | limit 1", [["2026-01-01 00:00:00.000", "2026-01-01 00:00:00.000"]]],
  [
    "fields isValidIpV4('10.1.2.3'), isIpInSubnet('10.1.2.3', '10.1.0.0/16'), isValidIpV6('x') | limit 1",
    [["1", "1", "0"]],
  ],
  ["fields 1 / 0, 'x' * 2, 3 | limit 1", [["3"]]],
];

const MAPPED = [
  JSON.stringify({
    status_code: 200,
    "user.id": "123",
    users: [{ action: "GetData" }, { action: "PutData" }],
    roles: ["admin", "dev"],
    path: "/a b",
  }),
  'level=error msg="request \\"failed\\"" duration=1234 host=web-01 slow',
  'web-02,GET,"/a,b",200,31',
  "from 10.0.0.1 to 192.0.2.7 by 8.8.8.8",
];

/** AWS's own examples of its documentation, and those of functions. */
const DOCUMENTED: readonly [query: string, rows: readonly (readonly string[])[]][] = [
  // Maps and lists.
  ["fields jsonParse(@message) as j | filter ispresent(j) | stats count() by j.status_code", [["200", "1"]]],
  [
    'fields jsonParse(@message) as j | filter j.users[1].action = "PutData" | display j.users[0].action',
    [["GetData"]],
  ],
  ['fields jsonParse(@message) as j | filter j.`user.id` = "123" | display j.status_code', [["200"]]],
  ["filter users[1].action like 'Put' | display users[1].action, `user.id`", [["PutData", "123"]]],
  ["fields jsonParse(@message) as j | filter ispresent(j) | display toupper(j), 1", [["1"]]],
  ["fields jsonParse(@message) as j | filter j = j or j != 1 | stats count(*)", [["3"]]],
  ["fields jsonParse('5') as j, jsonParse('[1]') as k | display j, k | limit 1", [["[1]"]]],
  [
    "filter jsonArrayContains(roles, 'admin') | fields jsonArraySize(roles), jsonArraySize('[1,2,3]')",
    [["2", "3"]],
  ],
  ["fields jsonArrayContains('x', 'x'), jsonArrayContains('[]', 'a') | limit 1", [["0", "0"]]],
  // Parse, in its modes.
  [
    'parse @message logfmt as lf | filter lf.level = "error" | display lf.msg, lf.duration, lf.slow',
    [['request "failed"', "1234", "1"]],
  ],
  ["parse logfmt as lf | filter lf.host = 'web-01' | stats count(*) by lf.host", [["web-01", "1"]]],
  [
    "parse @message csv as host, method, path, status, took | filter method = 'GET' | stats avg(took), latest(path) by method",
    [["GET", "31", "/a,b"]],
  ],
  [
    "parse @message /(\\d+\\.\\d+\\.\\d+\\.\\d+)/ as ip multi | filter ispresent(ip) | stats count(*) by ip | sort ip",
    [
      ["8.8.8.8", "1"],
      ["10.0.0.1", "1"],
      ["192.0.2.7", "1"],
    ],
  ],
  [
    "parse @message /from (?<one>\\S+) to (?<two>\\S+)/ | filter ispresent(two) | display one, two",
    [["10.0.0.1", "192.0.2.7"]],
  ],
  [
    'parse @message /(?<all>\\{.*\\})/ as payload | json field=payload "users[1].action" as act | filter ispresent(act) | display act',
    [["PutData"]],
  ],
  ['json field=users "0.action" as act | filter ispresent(act) | stats count(*) by act', [["GetData", "1"]]],
  // Numbers.
  [
    "fields round(2.5), round(-2.4), round(1.005, 2), round(1234, -2) | limit 1",
    [["3", "-2", "1.01", "1200"]],
  ],
  ["fields round(haversine(52.52, 13.405, 48.8566, 2.3522)) | limit 1", [["877"]]],
  [
    "fields toNumber('1.5') + 1, toInt('12.9'), toInt(3000000000), toLong('-7.5'), toDouble('x') | limit 1",
    [["2.5", "12", "-7"]],
  ],
  // General.
  [
    "fields case(status_code = 200, 'ok', status_code > 200, 'bad', 'none') as c | stats count(*) by c | sort c",
    [
      ["none", "3"],
      ["ok", "1"],
    ],
  ],
  [
    "fields if(status_code = 200, 'yes', 'no') as y, isNumeric('1e3'), isNumeric(path) | limit 1",
    [["yes", "1", "0"]],
  ],
  [
    "fields messageSize('größe'), queryEndTime() - queryStartTime(), queryTimeRange() | limit 1",
    [["7", "3600000", "3600000"]],
  ],
  // Texts.
  [
    "fields ltrim('xyZxyfooxyZ', 'xyZ'), rtrim('xyZfooxyxyZ', 'xyZ'), trim('xyZxyfooxyxyZ', 'xyZ'), substr('xyZfooxyZ', 3, 3) | limit 1",
    [["fooxyZ", "xyZfoo", "foo", "foo"]],
  ],
  [
    "fields strcontains('ABC', 'bc'), strcontains('ABC', 'bc', true), startsWith('abc', 'ab'), endsWith('abc', 'ab') | limit 1",
    [["0", "1", "1", "0"]],
  ],
  [
    "fields regexReplace('a1b22', '[0-9]+', '<\\\\0>'), regex_replace('John Smith', '(\\\\w+) (\\\\w+)', '$2 $1') | limit 1",
    [["a<1>b<22>", "Smith John"]],
  ],
  [
    "fields urlencode(path), urldecode('a%20b+c'), base64encode('hi'), base64decode('aGk=') | limit 1",
    [["%2Fa%20b", "a b c", "aGk=", "hi"]],
  ],
  ["fields split('a,b', ',') as parts | display parts[1], parts | limit 1", [["b", '["a","b"]']]],
  [
    "fields hexToAscii('48656c6c6f'), hexToDec('0xff'), decToHex(255), decToHex(-255.7) | limit 1",
    [["Hello", "255", "0xff", "-0xff"]],
  ],
  [
    "fields md5('a'), substr(sha256('a'), 0, 8) | limit 1",
    [["0cc175b9c0f1b6a831c399e269772661", "ca978112"]],
  ],
  // Addresses.
  [
    "fields ipv4ToNumber('10.0.0.1'), isPrivateIP('10.0.0.1'), isPublicIP('8.8.8.8'), isPublicIP('127.0.0.1'), isReservedIP('127.0.0.1') | limit 1",
    [["167772161", "1", "1", "0", "1"]],
  ],
  [
    "fields isIpv6InSubnet('2001:db8::1', '2001:db8::/32'), isIpv4InSubnet('x', '10.0.0.0/8'), isIpInSubnet('10.0.0.1', '::/0') | limit 1",
    [["1", "0", "0"]],
  ],
  // Times.
  [
    "fields bin(300s), bin(2hours), bin(1quarter), datefloor(@timestamp, 90m) | limit 1",
    [
      [
        "2026-01-31 12:00:00.000",
        "2026-01-31 12:00:00.000",
        "2026-01-01 00:00:00.000",
        "2026-01-31 12:00:00.000",
      ],
    ],
  ],
  [
    "fields parseDate('2026-01-31', 'yyyy-MM-dd', 'UTC'), parseDate('31 Jan 2026 01:05 PM', 'dd MMM yyyy hh:mm a', 'Europe/Berlin') | limit 1",
    [[`${Date.UTC(2026, 0, 31)}`, `${Date.UTC(2026, 0, 31, 12, 5)}`]],
  ],
  [
    "fields parseDate('2026-01-31T12:00:00.250+02:00', \"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\"), parseDate('2026-02-30', 'yyyy-MM-dd') | limit 1",
    [[`${Date.UTC(2026, 0, 31, 10, 0, 0, 250)}`]],
  ],
  [
    "fields formatDate(@timestamp, '%Y-%m-%d %H:%M:%S'), strftime(@timestamp, '%a %-d %b, %I %p %z', 'America/New_York') | limit 1",
    [["2026-01-31 12:00:00", "Sat 31 Jan, 07 AM -0500"]],
  ],
];

test("queries answer as documented", () => {
  for (const [query, rows] of CASES) assert.deepEqual(run(query), rows, query);
  for (const [query, rows] of DOCUMENTED) assert.deepEqual(run(query, MAPPED), rows, query);
});

test("sort orders as AWS shows: numbers last, digits within texts by their length", () => {
  const sorted = "!:,#,*%04,0#,5A,111A,2345_,@,@_,A,A9876fghj,a12345hfh,0,01,1,2,3".split(",");
  const messages = sorted.toReversed().map((v) => JSON.stringify({ v }));
  assert.deepEqual(run("fields v | sort v", messages).flat(), sorted);
  assert.deepEqual(run("fields v | sort v desc", messages).flat(), sorted.toReversed());
});

test("stats of stats, as AWS's examples have them", () => {
  const traffic = [1, 2, 3, 4, 5, 6].map((n) =>
    JSON.stringify({ n, who: n % 2 ? "odd" : "even", host: `h${n % 3}` }),
  );
  assert.deepEqual(
    run(
      "FIELDS strlen(@message) AS length\n| STATS sum(length)/1024 as kb BY BIN(2m) as @t\n| STATS max(kb) AS peak, min(kb) AS least BY dateceil(@t, 4m)",
      traffic,
    ).length,
    2,
  );
  assert.deepEqual(
    run(
      "STATS count_distinct(host) AS hosts, count(*) AS requests BY who | FILTER hosts > 1 | STATS count(*) AS many, sum(requests) / count(*) AS avg_requests",
      traffic,
    ),
    [["2", "3"]],
  );
});

test("AWS's sample queries are understood", () => {
  const samples = [
    "fields @timestamp, @message | sort @timestamp desc | limit 25",
    "filter @message like /Exception/ | stats count(*) as exceptionCount by bin(1h) | sort exceptionCount desc",
    "fields @message | filter @message not like /Exception/",
    "fields @timestamp, server, severity, message | sort @timestamp asc | dedup server",
    'filter @type = "REPORT" | fields @requestId, @billedDuration | sort by @billedDuration desc',
    'filter @type = "REPORT" | stats avg(@duration), max(@duration), min(@duration) by bin(5m)',
    'filter isIpv4InSubnet(srcAddr, "192.0.2.0/24") | stats sum(bytes) as bytesTransferred by dstAddr | sort bytesTransferred desc | limit 15',
    "filter protocol=17 | stats count(*) by srcAddr",
    'filter logStatus="SKIPDATA" | stats count(*) by bin(1h) as t | sort t',
    'filter (eventName="StartInstances" or eventName="StopInstances") and awsRegion="us-east-2"',
    'filter tlsDetails.tlsVersion in [ "TLSv1", "TLSv1.1" ] | stats count(*) as n by userIdentity.accountId, tlsDetails.tlsVersion | sort n desc',
    'filter eventName="CreateUser" | fields awsRegion, requestParameters.userName, responseElements.user.arn',
    "fields @timestamp, status, ip | filter status>=400 and status<=499 | sort @timestamp desc | limit 10",
    "parse @message '* - * [*] \"* * *\" * *' as host, who, at, verb, url, protocol, code, bytes | stats count(*) by code",
    'FIELDS @message | PARSE @message "* [*] *" as loggingTime, loggingType, loggingMessage | FILTER loggingType IN ["ERROR", "INFO"] | DISPLAY loggingMessage, loggingType = "ERROR" as isError',
    "fields `foo-bar`, action, abs(f3-f4)",
    "fields @timestamp, @message | filter (a>2000 or not b) and c.d.0 =~ /x/",
    'parse @message "Status Code: *;" as statusCode | filter toMillis(@timestamp) >= (now() * 1000 - 7200000)',
    'fields @message # hash | filter\n| filter a = "#1" # and more',
  ];
  for (const query of samples) assert.ok(parseQuery(query).length > 0, query);
  const memory =
    'filter @type = "REPORT" | stats max(@memorySize / 1000 / 1000) as provisioned, max(@maxMemoryUsed / 1000 / 1000) as used, provisioned - used as over';
  assert.deepEqual(run(memory), [["128", "31", "97"]]);
});

test("after stats its columns are fields, also by what they were computed from", () => {
  assert.deepEqual(run("stats count(*) by level | sort count(*) desc, level | limit 1"), [["3"]]);
  assert.deepEqual(run("stats max(ms) by bin(3m) | filter max( ms ) > 0 | sort bin(3m) | display bin(3m)"), [
    ["2026-01-31 11:57:00.000"],
    ["2026-01-31 12:00:00.000"],
  ]);
  assert.deepEqual(run("STATS SUM(ms) by level | STATS MAX(SUM(ms)) as most, count(*)"), [["250", "3"]]);
  assert.deepEqual(run("stats count(*) by level | stats count(*)"), [["3"]]);
});

test("limit any ends the search with the first that match", () => {
  const plan = planQuery(parseQuery("filter n > 1 | limit any 2"), {
    limit: 10,
    times: TIMES,
    isOrdered: false,
  });
  const taken: number[] = [];
  for (const n of [1, 2, 3, 4, 5]) {
    if (plan.isFull) break;
    taken.push(n);
    plan.take({ at: n, ingestedAt: n, message: `{"n":${n}}`, logStream: "s", log: "l", pointer: "p" });
    if (n === 2) assert.equal(plan.rows.length, 1, "rows show before the end");
  }
  assert.deepEqual([taken, plan.finish().length], [[1, 2, 3], 2]);
});

test("an event shows its time, message and pointer where nothing is said", () => {
  const plan = planQuery(parseQuery("filter a = 1"), { limit: 5, times: TIMES, isOrdered: true });
  plan.take({ at: AT, ingestedAt: AT, message: '{"a":1}', logStream: "s", log: "l", pointer: "p" });
  plan.take({ at: AT, ingestedAt: AT, message: '{"a":2}', logStream: "s", log: "l", pointer: "q" });
  assert.deepEqual(plan.finish(), [
    [
      ["@timestamp", "2026-01-31 12:00:00.000"],
      ["@message", '{"a":1}'],
      ["@ptr", "p"],
    ],
  ]);
  assert.equal(plan.matched, 1);
});

test("events of several groups come in order of time, under the limit", () => {
  const plan = planQuery(parseQuery("fields n"), { limit: 3, times: TIMES, isOrdered: false });
  for (const n of [5, 3, 1, 6, 4, 2])
    plan.take({ at: n, ingestedAt: n, message: `{"n":${n}}`, logStream: "s", log: "l", pointer: "p" });
  assert.deepEqual(
    plan.finish().map((row) => row[0]?.[1]),
    ["6", "5", "4"],
  );
});

test("what is wrong is refused, and where", () => {
  const cases: readonly [query: string, message: RegExp, start: number, end: number][] = [
    [
      "fields @message | filtr a = 1",
      /^unexpected symbol found filtr at position 18; expected a command/,
      18,
      23,
    ],
    ["fields @message |", /^unexpected end of the query/, 17, 17],
    ["", /^unexpected end of the query/, 0, 0],
    ["filter a = ", /expected a field, a value or a function/, 11, 11],
    ["filter a == 1", /unexpected symbol found =/, 10, 11],
    ["filter a like 5", /expected a text or a regular expression/, 14, 15],
    ["filter a like /(/", /^invalid regular expression/, 14, 17],
    ["fields nosuch(a)", /^unknown function nosuch/, 7, 13],
    ["fields substr(a)", /takes 2 to 3 arguments and got 1/, 7, 13],
    ["fields bin(a)", /takes a period such as 5m/, 7, 10],
    ["fields count(*)", /the function count can be used in stats only/, 7, 12],
    ["stats sum(max(a))", /the function max stands within another/, 10, 13],
    ["stats a", /a in stats is no aggregate function/, 6, 7],
    ["stats count(*) | stats count(*) | stats count(*)", /at most 2 stats/, 34, 39],
    ["limit 0", /limit is 1 to 100000/, 6, 7],
    ["stats count(*) as n by a | sort n | stats max(n)", /sort cannot stand before the second stats/, 36, 41],
    [
      "SOURCE logGroups(namePrefix: ['a']) | fields b",
      /^Lambent does not implement the command SOURCE$/,
      0,
      6,
    ],
    ["stats rate(a, 1m)", /^Lambent does not implement the function rate$/, 6, 10],
    ["stats max(a) by b | limit 5 | stats max(b)", /limit cannot stand before/, 30, 35],
    ["parse @message /(a)(b)/ as x", /2 groups, and 1 names/, 15, 23],
    ["fields formatDate(@timestamp, '%Q')", /the function formatDate does not know %Q/, 7, 17],
    ["fields parseDate(a, 'yyyy-QQ')", /the function parseDate does not know QQ/, 7, 16],
    ["fields parseDate(a, b)", /takes its format as a text/, 7, 16],
    ["fields parseDate(a, 'yyyy', 'Mars')", /takes a time zone/, 7, 16],
    ["fields regexReplace(a, '(', 'b')", /cannot use its regular expression/, 7, 19],
    ["limit x", /expected a number/, 6, 7],
    ["parse @message 'a*b*' as x", /2 wildcards, and 1 names/, 15, 21],
    ["parse @message /(a)/", /no named group/, 15, 20],
    ["fields 'open", /is not closed/, 7, 12],
    ["fields a ; b", /unexpected symbol found ; at position 9/, 9, 10],
    ["filter a not 5", /expected 'like' or 'in'/, 13, 14],
    ["fields 5x", /is no period/, 7, 9],
    ...[
      "pattern",
      "diff",
      "anomaly",
      "unmask",
      "lookup",
      "filterIndex",
      "SOURCE",
      "unnest",
      "expand",
      "countFrequent",
    ].map((name): [string, RegExp, number, number] => [
      `fields a | ${name} @message`,
      new RegExp(`^Lambent does not implement the command ${name}$`),
      11,
      11 + name.length,
    ]),
  ];
  for (const [query, message, start, end] of cases)
    assert.throws(
      () => parseQuery(query),
      (error) => {
        assert.ok(error instanceof QueryError, query);
        assert.match(error.message, message, query);
        assert.deepEqual([error.start, error.end], [start, end], query);
        return true;
      },
    );
  assert.throws(() => parseQuery(`filter ${"(".repeat(5_000)}`), QueryError);
  assert.throws(() => parseQuery(`filter ${"not ".repeat(2_000)}a`), QueryError);
});

test("memory is bounded: a query that would keep too much fails, one that sorts and limits does not", () => {
  const big = "x".repeat(200_000);
  const messages = Array.from({ length: 400 }, (_, n) => `{"n":${n},"big":"${big}"}`);
  assert.deepEqual(run("fields n | sort n desc | limit 3", messages), [["399"], ["398"], ["397"]]);
  assert.throws(() => run("fields n, big | sort n desc", messages), QueryLimitError);
});

test("percentiles of many values are within one percent, below zero too", () => {
  const quantiles = new Quantiles();
  for (let n = -20_000; n <= 60_000; n++) quantiles.add(n);
  for (const [percent, wanted] of [
    [1, -19_200],
    [25, 0],
    [50, 20_000],
    [99, 59_200],
  ] as const) {
    const found = quantiles.at(percent) ?? Number.NaN;
    assert.ok(Math.abs(found - wanted) <= Math.abs(wanted) * 0.01 + 1, `${percent}: ${found}`);
  }
});
