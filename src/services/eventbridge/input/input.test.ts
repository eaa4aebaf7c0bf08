import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../../../aws/event-pattern/index.ts";
import { compileInput } from "./input.ts";
import { compileJsonPath } from "./json-path.ts";
import { logEventOf } from "./log-event.ts";
import { parseTemplate, templateFault } from "./template.ts";

/** The example of AWS's documentation, with what it does not have. */
const TEXT =
  '{"version":"0","id":"7bf73129","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",' +
  '"account":"123456789012","time":"2015-11-11T21:29:54Z","region":"us-east-1",' +
  '"resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],' +
  '"detail":{"instance-id":"i-0123456789","state":"RUNNING","price":3.0,"on":true,"none":null,' +
  '"say":"\\"hi\\"\\n","list":[{"n":1},{"n":"two"}],"deep":{"a/b":"c"}}}';
const event = parseJson(TEXT) as Record<string, unknown>;
const matched = {
  event,
  text: TEXT,
  ruleArn: "arn:aws:events:us-east-1:123456789012:rule/example",
  ruleName: "example",
  receivedAt: Date.UTC(2026, 10, 30, 1, 2, 3, 456),
};
const PATHS = {
  instance: "$.detail.instance-id",
  state: "$.detail.state",
  price: "$.detail.price",
  on: "$.detail.on",
  none: "$.detail.none",
  say: "$.detail.say",
  list: "$.detail.list",
  names: "$.detail.list[*].n",
  missing: "$.detail.nothing",
};
const transformed = (InputTemplate: string) =>
  compileInput({ InputTransformer: { InputPathsMap: PATHS, InputTemplate } })(matched);

test("JSON paths: dots, dashes, indices, wildcards, quoted names", () => {
  const at = (path: string) => compileJsonPath(path)?.(event);
  assert.equal(at("$.detail.instance-id"), "i-0123456789");
  assert.equal(at("$.resources[0]"), "arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111");
  assert.equal(at("$.resources[1]"), undefined);
  assert.equal(at("$.detail.list[1].n"), "two");
  assert.deepEqual(at("$.detail.list[*].n"), [1, "two"]);
  assert.deepEqual(at("$.detail.deep.*"), ["c"]);
  assert.equal(at("$['detail']['state']"), "RUNNING");
  assert.equal(at('$.detail["state"]'), "RUNNING");
  assert.equal(at("$.detail.deep.a/b"), "c");
  assert.equal(at("$.detail.state.more"), undefined);
  assert.equal(at("$.toString"), undefined);
  assert.equal(at("$"), event);
  for (const wrong of ["", "detail", "$detail", "$.", "$..a", "$.a[", "$.a[-1]", "$.a[?(@.b)]", "$.a b"])
    assert.equal(compileJsonPath(wrong), undefined, wrong);
});

test("a target without an input gets the event; with one, that; with a path, that part", () => {
  assert.equal(compileInput({})(matched), TEXT);
  assert.equal(compileInput({ Input: '{"a": 1}' })(matched), '{"a": 1}');
  assert.equal(compileInput({ InputPath: "$.detail.state" })(matched), '"RUNNING"');
  assert.equal(compileInput({ InputPath: "$.detail.list" })(matched), '[{"n":1},{"n":"two"}]');
  assert.equal(compileInput({ InputPath: "$.detail.price" })(matched), "3.0", "numbers keep their text");
});

test("a template's variables are JSON values outside of quotes, and text within", () => {
  assert.equal(transformed('"instance <instance> is in <state>"'), '"instance i-0123456789 is in RUNNING"');
  assert.equal(
    transformed('"instance \\"<instance>\\" is in <state>"'),
    '"instance \\"i-0123456789\\" is in RUNNING"',
  );
  assert.equal(
    transformed('{"instance": <instance>, "state": "<state>", "mixed": [9, <state>, true]}'),
    '{"instance": "i-0123456789", "state": "RUNNING", "mixed": [9, "RUNNING", true]}',
  );
  assert.equal(transformed('{"a": <price>, "b": <on>, "c": <none>}'), '{"a": 3.0, "b": true, "c": null}');
  assert.equal(transformed('"<price> <on> <none>"'), '"3.0 true null"');
  assert.equal(transformed('{"a": <list>}'), '{"a": [{"n":1},{"n":"two"}]}');
  assert.equal(transformed('{"a": "<list>"}'), '{"a": "[{n:1},{n:two}]"}');
  assert.equal(transformed("<names>"), '[1,"two"]');
  assert.equal(transformed('{"a": "<say>", "b": <say>}'), '{"a": "\\"hi\\"\\n", "b": "\\"hi\\"\\n"}');
});

test("what a path does not find leaves nothing within quotes, and an empty text outside", () => {
  assert.equal(transformed('"got <missing>."'), '"got ."');
  assert.equal(transformed('{"a": <missing>}'), '{"a": ""}');
});

test("reserved variables", () => {
  assert.equal(
    transformed('"<aws.events.rule-name> <aws.events.rule-arn> <aws.events.event.ingestion-time>"'),
    `"example ${matched.ruleArn} 2026-11-30T01:02:03Z"`,
  );
  assert.equal(transformed('{"e": <aws.events.event.json>}'), `{"e": ${TEXT}}`);
  assert.equal(
    transformed('{"e": <aws.events.event>}'),
    '{"e": {"id":"7bf73129","account":"123456789012","detailType":"EC2 Instance State-change Notification",' +
      '"time":"2015-11-11T21:29:54Z","source":"aws.ec2","region":"us-east-1",' +
      '"resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],"version":"0"}}',
  );
});

test("an event within quotes is no JSON, and the target gets nothing", () => {
  assert.equal(transformed('{"e": "<aws.events.event.json>"}'), undefined);
  assert.equal(transformed('"<aws.events.event>"'), undefined);
});

test("a log group gets the event at its time, or what a transformer makes", () => {
  const of = (InputTemplate?: string) => {
    const InputTransformer =
      InputTemplate === undefined ? undefined : { InputPathsMap: PATHS, InputTemplate };
    const target = { ...(InputTransformer && { InputTransformer }) };
    return logEventOf(target, matched, compileInput(target)(matched) ?? "");
  };
  assert.deepEqual(of(), { timestamp: Date.UTC(2015, 10, 11, 21, 29, 54), message: TEXT });
  const message = "i-0123456789 is RUNNING";
  for (const [time, timestamp] of [
    ["1700000000123", 1_700_000_000_123],
    ['"1700000000123"', 1_700_000_000_123],
    ['"2026-11-30T01:02:03Z"', Date.UTC(2026, 10, 30, 1, 2, 3)],
    ["<aws.events.event.ingestion-time>", Date.UTC(2026, 10, 30, 1, 2, 3)],
  ] as const)
    assert.deepEqual(of(`{"timestamp": ${time}, "message": "<instance> is <state>"}`), {
      timestamp,
      message,
    });
  assert.equal(of('{"timestamp": 1, "message": {"a": <list>}}')?.message, '{"a":[{"n":1},{"n":"two"}]}');
  for (const wrong of [
    '"text"',
    '{"message": "m"}',
    '{"timestamp": 1}',
    '{"timestamp": "soon", "message": "m"}',
    '{"timestamp": {}, "message": "m"}',
    '{"timestamp": null, "message": "m"}',
  ])
    assert.equal(of(wrong), undefined, wrong);
});

test("what looks like a variable and is none stays", () => {
  assert.equal(transformed('"1 < 2 <> <a b> <state>"'), '"1 < 2 <> <a b> RUNNING"');
});

test("a template is JSON, or texts in quotes", () => {
  const isGood = (template: string) => templateFault(parseTemplate(template)) === undefined;
  for (const good of ['"<a>"', '{"a": <a>}', "<a>", "[1, <a>]", '"<a> is"\n"<b> too"\n', '"\\"<a>\\""'])
    assert.ok(isGood(good), good);
  for (const bad of ["<a> is in <b>", "{a: <a>}", '{"a": }', "", '"a', '{"a": <a>}{"b": 1}'])
    assert.ok(!isGood(bad), bad);
});
