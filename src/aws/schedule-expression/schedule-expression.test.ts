import assert from "node:assert/strict";
import { test } from "node:test";
import { ScheduleExpressionError, isTimeZone, nextTime, parseSchedule } from "./index.ts";
import type { ScheduleKind } from "./index.ts";

const ALL: readonly ScheduleKind[] = ["rate", "cron", "at"];
const parse = (text: string) => parseSchedule(text, { kinds: ALL });

/** The next times after an instant, as ISO texts without seconds that are zero. */
function times(text: string, after: string, count: number, timeZone = "UTC"): string[] {
  const schedule = parse(text);
  const found: string[] = [];
  let at: number | undefined = Date.parse(after);
  for (let index = 0; index < count; index++) {
    at = nextTime(schedule, at, { timeZone });
    if (at === undefined) return [...found, "never"];
    found.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
  }
  return found;
}

/** Expression, after, what comes. */
const CRONS: readonly (readonly [string, string, readonly string[]])[] = [
  ["* * * * ? *", "2026-03-01T10:00:00Z", ["2026-03-01T10:01Z", "2026-03-01T10:02Z"]],
  ["* * * * ? *", "2026-12-31T23:59:59Z", ["2027-01-01T00:00Z"]],
  ["0 10 * * ? *", "2026-03-01T10:00:00Z", ["2026-03-02T10:00Z", "2026-03-03T10:00Z"]],
  ["0 10 * * ? *", "2026-03-01T09:59:59.999Z", ["2026-03-01T10:00Z"]],
  ["15 12 * * ? *", "2026-01-31T13:00:00Z", ["2026-02-01T12:15Z"]],
  ["0 18 ? * MON-FRI *", "2026-01-02T18:00:00Z", ["2026-01-05T18:00Z"]],
  ["0 8 1 * ? *", "2026-01-31T00:00:00Z", ["2026-02-01T08:00Z", "2026-03-01T08:00Z"]],
  ["0/15 * * * ? *", "2026-01-01T00:46:00Z", ["2026-01-01T01:00Z", "2026-01-01T01:15Z"]],
  ["*/20 10 * * ? *", "2026-01-01T10:21:00Z", ["2026-01-01T10:40Z", "2026-01-02T10:00Z"]],
  [
    "5-20/7 9 * * ? *",
    "2026-01-01T09:05:00Z",
    ["2026-01-01T09:12Z", "2026-01-01T09:19Z", "2026-01-02T09:05Z"],
  ],
  ["1/10 * * * ? *", "2026-01-01T00:00:00Z", ["2026-01-01T00:01Z", "2026-01-01T00:11Z"]],
  [
    "0 22-2/2 * * ? *",
    "2026-01-01T21:00:00Z",
    ["2026-01-01T22:00Z", "2026-01-02T00:00Z", "2026-01-02T02:00Z"],
  ],
  [
    "0 0 ? * SAT-SUN *",
    "2026-01-01T00:00:00Z",
    ["2026-01-03T00:00Z", "2026-01-04T00:00Z", "2026-01-10T00:00Z"],
  ],
  ["0 0 1 NOV-FEB ? *", "2026-01-15T00:00:00Z", ["2026-02-01T00:00Z", "2026-11-01T00:00Z"]],
  ["0 0 1 jan,JUL ? *", "2026-01-15T00:00:00Z", ["2026-07-01T00:00Z", "2027-01-01T00:00Z"]],
  ["0 0 ? * 1 *", "2026-01-01T00:00:00Z", ["2026-01-04T00:00Z"]],
  ["0 0 ? * 2/2 *", "2026-01-03T00:00:00Z", ["2026-01-05T00:00Z", "2026-01-07T00:00Z", "2026-01-09T00:00Z"]],
  // The end of the month, in leap years too.
  ["0 0 L * ? *", "2026-01-31T00:00:00Z", ["2026-02-28T00:00Z", "2026-03-31T00:00Z", "2026-04-30T00:00Z"]],
  ["0 0 L FEB ? *", "2027-03-01T00:00:00Z", ["2028-02-29T00:00Z", "2029-02-28T00:00Z"]],
  ["0 0 29 2 ? *", "2096-03-01T00:00:00Z", ["2104-02-29T00:00Z"]],
  ["0 0 31 * ? *", "2026-01-31T00:00:00Z", ["2026-03-31T00:00Z", "2026-05-31T00:00Z"]],
  ["0 0 15,L * ? *", "2026-02-01T00:00:00Z", ["2026-02-15T00:00Z", "2026-02-28T00:00Z"]],
  ["0 0 LW * ? *", "2026-02-01T00:00:00Z", ["2026-02-27T00:00Z", "2026-03-31T00:00Z"]],
  ["0 0 LW 5 ? *", "2026-01-01T00:00:00Z", ["2026-05-29T00:00Z"]],
  // The nearest weekday never leaves its month: Saturday the 1st gives Monday the 3rd, Sunday the 31st Friday the 29th.
  ["0 0 1W * ? *", "2026-07-31T00:00:00Z", ["2026-08-03T00:00Z", "2026-09-01T00:00Z"]],
  ["0 0 31W * ? *", "2026-03-31T00:00:00Z", ["2026-05-29T00:00Z", "2026-07-31T00:00Z"]],
  ["0 0 1W 11 ? *", "2026-10-01T00:00:00Z", ["2026-11-02T00:00Z"]],
  ["0 0 14W 11 ? *", "2026-10-01T00:00:00Z", ["2026-11-13T00:00Z"]],
  ["0 0 15W 11 ? *", "2026-10-01T00:00:00Z", ["2026-11-16T00:00Z"]],
  ["0 0 28W 2 ? *", "2026-01-01T00:00:00Z", ["2026-02-27T00:00Z"]],
  // Days of the week, counted in the month.
  ["0 0 ? * L *", "2026-01-01T00:00:00Z", ["2026-01-03T00:00Z", "2026-01-10T00:00Z"]],
  ["0 0 ? * 6L *", "2026-01-01T00:00:00Z", ["2026-01-30T00:00Z", "2026-02-27T00:00Z"]],
  ["0 0 ? * FRIL *", "2026-01-01T00:00:00Z", ["2026-01-30T00:00Z"]],
  ["0 0 ? * 3#2 *", "2026-01-01T00:00:00Z", ["2026-01-13T00:00Z", "2026-02-10T00:00Z"]],
  ["0 0 ? * MON#5 *", "2026-01-01T00:00:00Z", ["2026-03-30T00:00Z", "2026-06-29T00:00Z"]],
  ["0 0 ? 2 1#5 *", "2026-01-01T00:00:00Z", ["2032-02-29T00:00Z", "2060-02-29T00:00Z"]],
  // Years.
  [
    "0 0 1 1 ? 2030-2040/5",
    "2026-01-01T00:00:00Z",
    ["2030-01-01T00:00Z", "2035-01-01T00:00Z", "2040-01-01T00:00Z", "never"],
  ],
  ["59 23 31 12 ? 2199", "2026-01-01T00:00:00Z", ["2199-12-31T23:59Z", "never"]],
  ["0 0 30 2 ? *", "2026-01-01T00:00:00Z", ["never"]],
  ["0 0 29 2 ? 2027,2029", "2026-01-01T00:00:00Z", ["never"]],
  ["0 0 1 1 ? 1999", "2026-01-01T00:00:00Z", ["never"]],
];

for (const [text, after, expected] of CRONS)
  test(`cron(${text}) after ${after}`, () => {
    assert.deepEqual(times(`cron(${text})`, after, expected.length), expected);
  });

/** Zone, cron, after, what comes. */
const ZONED: readonly (readonly [string, string, string, readonly string[]])[] = [
  // New York: on 2026-03-08 02:00 to 03:00 is skipped, on 2026-11-01 01:00 to 02:00 comes twice.
  ["America/New_York", "30 2 * * ? *", "2026-03-07T00:00:00Z", ["2026-03-07T07:30Z", "2026-03-09T06:30Z"]],
  ["America/New_York", "0 3 * * ? *", "2026-03-08T00:00:00Z", ["2026-03-08T07:00Z"]],
  ["America/New_York", "* * * * ? *", "2026-03-08T06:58:00Z", ["2026-03-08T06:59Z", "2026-03-08T07:00Z"]],
  ["America/New_York", "30 1 * * ? *", "2026-11-01T00:00:00Z", ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]],
  ["America/New_York", "30 1 * * ? *", "2026-11-01T05:30:00Z", ["2026-11-02T06:30Z"]],
  ["America/New_York", "0/30 * * * ? *", "2026-11-01T05:00:00Z", ["2026-11-01T05:30Z", "2026-11-01T07:00Z"]],
  ["America/New_York", "0/30 * * * ? *", "2026-11-01T06:10:00Z", ["2026-11-01T07:00Z"]],
  ["America/New_York", "0 9 ? * MON-FRI *", "2026-10-30T14:00:00Z", ["2026-11-02T14:00Z"]],
  // Berlin, whose change is at 01:00 UTC.
  ["Europe/Berlin", "30 2 * * ? *", "2026-03-28T12:00:00Z", ["2026-03-30T00:30Z"]],
  ["Europe/Berlin", "30 2 * * ? *", "2026-10-24T12:00:00Z", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]],
  // The southern hemisphere: summer begins in October and ends in April; Lord Howe moves by half an hour.
  ["Australia/Sydney", "30 2 * * ? *", "2026-10-02T17:00:00Z", ["2026-10-04T15:30Z"]],
  ["Australia/Sydney", "30 2 * * ? *", "2026-04-04T00:00:00Z", ["2026-04-04T15:30Z", "2026-04-05T16:30Z"]],
  [
    "Australia/Lord_Howe",
    "0/15 * * * ? *",
    "2026-10-03T15:15:00Z",
    ["2026-10-03T15:30Z", "2026-10-03T15:45Z"],
  ],
  ["Australia/Lord_Howe", "15 2 * * ? *", "2026-10-03T00:00:00Z", ["2026-10-04T15:15Z"]],
  // Midnight itself is skipped (Beirut), a whole day is (Samoa, 2011-12-30).
  ["Asia/Beirut", "0 0 * * ? *", "2026-03-27T22:30:00Z", ["2026-03-29T21:00Z"]],
  ["Pacific/Apia", "0 12 * * ? *", "2011-12-29T12:00:00Z", ["2011-12-29T22:00Z", "2011-12-30T22:00Z"]],
  // Zones of odd offsets, and without daylight saving.
  ["Asia/Kolkata", "0 9 * * ? *", "2026-01-01T00:00:00Z", ["2026-01-01T03:30Z"]],
  ["Asia/Kathmandu", "0 0 1 * ? *", "2026-01-01T00:00:00Z", ["2026-01-31T18:15Z"]],
  ["Pacific/Kiritimati", "0 0 L * ? *", "2026-02-01T00:00:00Z", ["2026-02-27T10:00Z"]],
  ["America/New_York", "59 23 31 12 ? 2199", "2026-01-01T00:00:00Z", ["2200-01-01T04:59Z", "never"]],
];

for (const [timeZone, text, after, expected] of ZONED)
  test(`cron(${text}) in ${timeZone} after ${after}`, () => {
    assert.deepEqual(times(`cron(${text})`, after, expected.length, timeZone), expected);
  });

test("each local time of a year comes exactly once, or is one of those that are skipped", () => {
  const schedule = parse("cron(0/30 * * * ? 2026)");
  const seen = new Set<string>();
  const shown = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "America/New_York",
    dateStyle: "short",
    timeStyle: "short",
  });
  let at: number | undefined = Date.parse("2025-12-31T00:00:00Z");
  while ((at = nextTime(schedule, at, { timeZone: "America/New_York" })) !== undefined) {
    const text = shown.format(at);
    assert.ok(!seen.has(text), `${text} came twice`);
    seen.add(text);
  }
  assert.equal(seen.size, 365 * 48 - 2);
  assert.ok(!seen.has("2026-03-08 02:00") && !seen.has("2026-03-08 02:30"));
});

test("an at() comes once, in its zone; the first of two, and after a skipped hour's length", () => {
  const zoned = (text: string, timeZone: string) => times(`at(${text})`, "2026-01-01T00:00:00Z", 2, timeZone);
  assert.deepEqual(zoned("2026-06-01T09:00:30", "UTC"), ["2026-06-01T09:00:30.000Z", "never"]);
  assert.deepEqual(zoned("2026-06-01T09:00:00", "Europe/Berlin"), ["2026-06-01T07:00Z", "never"]);
  assert.deepEqual(zoned("2026-11-01T01:30:00", "America/New_York"), ["2026-11-01T05:30Z", "never"]);
  assert.deepEqual(zoned("2026-03-08T02:30:00", "America/New_York"), ["2026-03-08T07:30Z", "never"]);
  assert.deepEqual(zoned("2026-01-01T00:00:00", "UTC"), ["never"]);
});

test("a rate counts from its anchor, the anchor included, whatever the zone's clock does", () => {
  const rate = parse("rate(5 minutes)");
  const anchor = Date.parse("2026-01-01T00:01:30Z");
  assert.equal(nextTime(rate, anchor - 1, { anchor }), anchor);
  assert.equal(nextTime(rate, anchor, { anchor }), anchor + 300_000);
  assert.equal(nextTime(rate, anchor + 300_001, { anchor }), anchor + 600_000);
  assert.equal(nextTime(rate, anchor - 3_600_000, { anchor }), anchor);
  assert.equal(nextTime(rate, 1_000), 301_000);
  const daily = parse("rate(1 day)");
  const evening = Date.parse("2026-03-07T20:00:00Z");
  assert.equal(nextTime(daily, evening, { timeZone: "America/New_York" }), evening + 86_400_000);
});

const WRONG = [
  "",
  "rate",
  "rate()",
  "rate(5)",
  "rate(5 weeks)",
  "rate(0 minutes)",
  "rate(-1 minutes)",
  "rate(1.5 hours)",
  "rate(1 minutes)",
  "rate(2 minute)",
  "rate(12345678 days)",
  "rate( 10 minutes )",
  " rate(10 minutes)",
  "at( 2026-01-01T00:00:00)",
  "Rate(5 minutes)",
  "every(5 minutes)",
  "cron()",
  "cron(* * * * *)",
  "cron(* * * * ? * *)",
  "cron(* * * * * *)",
  "cron(* * ? * ? *)",
  "cron(* * ? * *)",
  "cron(60 * * * ? *)",
  "cron(* 24 * * ? *)",
  "cron(* * 0 * ? *)",
  "cron(* * 32 * ? *)",
  "cron(* * * 13 ? *)",
  "cron(* * * JANUARY ? *)",
  "cron(* * ? * 0 *)",
  "cron(* * ? * 8 *)",
  "cron(* * ? * MO *)",
  "cron(* * ? * 3#6 *)",
  "cron(* * ? * 3#0 *)",
  "cron(* * ? * 3#1,6#3 *)",
  "cron(* * ? * 3#1#2 *)",
  "cron(* * * * ? 1969)",
  "cron(* * * * ? 2200)",
  "cron(* * * * ? 2030-2026)",
  "cron(*/60 * * * ? *)",
  "cron(0/0 * * * ? *)",
  "cron(/5 * * * ? *)",
  "cron(1- * * * ? *)",
  "cron(*-5 * * * ? *)",
  "cron(1,,2 * * * ? *)",
  "cron(1.5 * * * ? *)",
  "cron(? * * * ? *)",
  "cron(L * * * ? *)",
  "cron(* * W * ? *)",
  "cron(* * 32W * ? *)",
  "cron(* * 1-5W * ? *)",
  "cron(* * L-3 * ? *)",
  "cron(* * ? * 2W *)",
  "cron(* * * L ? *)",
  "cron(5 MON * * ? *)",
  "at(2026-01-01)",
  "at(2026-01-01T00:00)",
  "at(2026-02-30T00:00:00)",
  "at(2026-01-01T24:00:00)",
  "at(2026-01-01T00:00:00Z)",
];

for (const text of WRONG)
  test(`${text || "nothing"} is refused with what is wrong`, () => {
    assert.throws(() => parse(text), ScheduleExpressionError);
  });

test("kinds that are not asked for are refused; EventBridge Scheduler takes units of either number", () => {
  assert.throws(() => parseSchedule("at(2026-01-01T00:00:00)", { kinds: ["rate", "cron"] }), /none of rate/);
  for (const text of ["rate(1 minutes)", "rate(1 minute)", "rate(5 hour)", "rate(5 days)"])
    assert.equal(parseSchedule(text, { kinds: ALL, anyUnitNumber: true }).kind, "rate");
});

test("time zones are known by their IANA names", () => {
  for (const name of ["UTC", "America/New_York", "Asia/Kolkata", "US/Pacific"])
    assert.ok(isTimeZone(name), name);
  for (const name of ["", "+05:00", "Mars/Olympus", "New York"]) assert.ok(!isTimeZone(name), name);
});

test("the next time is found without going through minutes: one that never comes costs some milliseconds", () => {
  const never = parse("cron(0 0 30 2 ? *)");
  const far = parse("cron(59 23 29 2 ? 2196)");
  const start = process.cpuUsage();
  for (let round = 0; round < 10; round++) {
    nextTime(never, 0, { timeZone: "Europe/Berlin" });
    nextTime(far, 0, { timeZone: "Europe/Berlin" });
  }
  const { user, system } = process.cpuUsage(start);
  // Going through the minutes of 230 years takes seconds.
  assert.ok(user + system < 500_000, `${user + system} us of CPU`);
});
