/** The filter pattern language, by table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFilterPattern, FilterPatternError } from "./index.ts";

const TRAIL = JSON.stringify({
  eventType: "UpdateTrail",
  sourceIPAddress: "111.111.111.111",
  arrayKey: ["value", "another value"],
  objectList: [
    { name: "a", id: 1 },
    { name: "b", id: 2 },
  ],
  SomeObject: null,
  ok: true,
  status: 404,
  number: [1000],
  "cluster.name": "c",
});
const USERS = JSON.stringify({
  user: { id: 1, email: "John.Stiles@example.com" },
  users: [
    { id: 2, email: "John.Doe@example.com" },
    { id: 3, email: "Jane.Doe@example.com" },
  ],
  actions: ["GET", "PUT", "DELETE"],
  coordinates: [
    [0, 1, 2],
    [4, 5, 6],
  ],
});
const ACCESS = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`;

const CASES: readonly [pattern: string, message: string, matches: boolean][] = [
  // Terms.
  ["", "anything", true],
  ['" "', "anything", true],
  ["ERROR", "[ERROR 401] UNAUTHORIZED REQUEST", true],
  ["ERROR", "[error 401]", false],
  ["ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", true],
  ["ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", false],
  ["?ERROR ?ARGUMENTS", "ARGUMENTS only", true],
  ["?ERROR ?ARGUMENTS", "neither", false],
  ["?ERROR ?ARGUMENTS REQUEST", "[INFO] REQUEST FAILED", true],
  ["?ERROR ?ARGUMENTS REQUEST", "ERROR", false],
  ['"INTERNAL SERVER ERROR"', "[ERROR 500] INTERNAL SERVER ERROR", true],
  ['"INTERNAL SERVER ERROR"', "[ERROR 500] INTERNAL ERROR SERVER", false],
  ["ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", true],
  ["ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", false],
  ['-"Exiting now"', "still here", true],
  ['"a \\"quoted\\" word"', 'has a "quoted" word in it', true],
  ["größe", "die größe", true],
  // Regular expressions.
  ["%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", true],
  ["%^[hc]at%", "hat on", true],
  ["%^[hc]at%", "that", false],
  ["%[hc]at$%", "the cat", true],
  ["%colou?r%", "the color", true],
  ["%a{3,5}%", "caaat", true],
  ["%ba{3,5}t%", "baat", false],
  ["%a{2}b%", "aab", true],
  ["%gray|grey%", "so grey", true],
  ["%^starting|^initializing|^shutting down%", "skipping initializing", false],
  ["%^starting|^initializing|^shutting down%", "shutting down now", true],
  ["%\\[.\\]%", "an [7] here", true],
  ["%ab*c%", "ac", true],
  ["%ab+c%", "ac", false],
  ["%ab[^c]$%", "xaba", true],
  ["%10\\.10\\.0\\.1%", "10010,051", false],
  ["%10.10.0.1%", "10010,051", true],
  ["%\\d\\D\\s\\S\\w\\W%", "1a b_!", true],
  ["%\\x28%", "f(x)", true],
  ["%^$%", "x", false],
  // JSON.
  ['{ $.eventType = "UpdateTrail" }', TRAIL, true],
  ['{$.eventType="UpdateTrail"}', TRAIL, true],
  ['{ $.eventType = "Update*" }', TRAIL, true],
  ["{ $.eventType = UpdateTrail }", TRAIL, true],
  ["{ $.eventType != UpdateTrail }", TRAIL, false],
  ["{ $.sourceIPAddress != 123.123.* }", TRAIL, true],
  ["{ $.sourceIPAddress = 111.* }", TRAIL, true],
  ['{ $.arrayKey[0] = "value" }', TRAIL, true],
  ['{ $.arrayKey[2] = "value" }', TRAIL, false],
  ['{ $.arrayKey = "value" }', TRAIL, false],
  ["{ $.eventType = %Trail% }", TRAIL, true],
  ["{ $.arrayKey[*] = %val.{2}% }", TRAIL, true],
  ["{ $.* = %111\\.111\\.111\\.1[0-9]{1,2}% }", TRAIL, true],
  ['{ $.objectList[*].name = "b" }', TRAIL, true],
  ["{ $.objectList[1].id = 2 }", TRAIL, true],
  [`{ $.['cluster.name'] = "c" }`, TRAIL, true],
  ["{ $.SomeObject IS NULL }", TRAIL, true],
  ["{ $.ok IS TRUE }", TRAIL, true],
  ["{ $.ok IS FALSE }", TRAIL, false],
  ["{ $.missing IS NULL }", TRAIL, false],
  ["{ $.SomeOtherObject NOT EXISTS }", TRAIL, true],
  ["{ $.SomeObject NOT EXISTS }", TRAIL, false],
  ["{ $.status > 400 }", TRAIL, true],
  ["{ $.status >= 404 && $.status <= 404 }", TRAIL, true],
  ["{ $.status < 404 }", TRAIL, false],
  ["{ $.status = 4* }", TRAIL, true],
  ["{ $.number[0] = 1e+3 }", TRAIL, true],
  ["{ $.number[0] != 1e-3 }", TRAIL, true],
  ["{ $.eventType > 5 }", TRAIL, false],
  ["{ $.missing != 5 }", TRAIL, false],
  ["{ $.a = 1 }", "not json", false],
  ["{ $.a NOT EXISTS }", "not json", false],
  ['{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', USERS, true],
  [
    '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }',
    USERS,
    true,
  ],
  [
    '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }',
    USERS,
    false,
  ],
  ['{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', USERS, false],
  ["{ $.coordinates[1][2] = 6 }", USERS, true],
  // Space-delimited.
  [
    "[ip=%127\\.0\\.0\\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
    ACCESS,
    true,
  ],
  ["[ip, user, username, timestamp, request, status_code = 5*, bytes]", ACCESS, false],
  ["[..., request =*.html*, status_code = 4*, bytes]", ACCESS, true],
  ["[ip = 127.0.0.1, ..., bytes > 1500]", ACCESS, true],
  ["[ip, ..., bytes > 2000]", ACCESS, false],
  ["[..., status_code = 404 || status_code = 410, bytes]", ACCESS, true],
  ['[ip, user, username, timestamp = "10/Oct*", ...]', ACCESS, true],
  ["[w1=ERROR, w2]", "ERROR 09/25/2014 12:00:02 Failed to process request", true],
  ["[w1=ERROR, w2]", "INFO 09/25/2014", false],
  ["[w1=ERROR]", "ERROR and more", false],
  ["[w1=ERROR || w1=WARNING, w2]", "WARNING 09/25/2014 12:00:02 Invalid user request", true],
  ["[w1!=ERROR && w1!=WARNING, w2]", "INFO 09/25/2014 12:00:00 GET", true],
  ["[w1!=ERROR && w1!=WARNING, w2]", "ERROR x", false],
  [
    "[level, date, time, method, url=%/service/resource/[0-9]+$%, ms]",
    "INFO d t GET /service/resource/67 1200",
    true,
  ],
  [
    "[level, date, time, method, url=%/service/resource/[0-9]+$%, ms]",
    "INFO d t POST /service/resource/67/part/111 1310",
    false,
  ],
  ["[a, b, c]", "only two", false],
  ['[a = "x y", b = 1]', '"x y" 1', true],
  ["[a, b = open, c]", "[ open end", true],
];

test("filter patterns match as documented", () => {
  for (const [pattern, message, matches] of CASES)
    assert.equal(compileFilterPattern(pattern)(message), matches, `${pattern}  against  ${message}`);
});

test("what is no filter pattern is refused", () => {
  for (const pattern of [
    "foo-bar",
    "[a, b",
    "{ $.a }",
    "{ $.a = 1",
    "{ a = 1 }",
    "{ $.a > x }",
    "{ $.a.* = 1 && $.b.*.* = 2 }",
    "{ $.a = %x% && $.b = %y% && $.c = %z% }",
    "[..., a, ...]",
    "[a = 1 && b = 2]",
    "%(a)%",
    "%something!%",
    "%a{3,2}%",
    "{ $.a = 1 } x",
  ])
    assert.throws(() => compileFilterPattern(pattern), FilterPatternError, pattern);
});

test("patterns take time linear in the event", () => {
  const matches = compileFilterPattern("%a*a*a*a*a*a*b$%");
  assert.equal(matches("a".repeat(100_000)), false);
  assert.equal(compileFilterPattern("[a, b = 1]")("[ ".repeat(100_000)), false);
});
