/** Which notification configurations S3 takes together, and whom an event reaches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { matching, readConfigurations } from "./configuration.ts";
import type { FunctionInput } from "./configuration.ts";

const ARN = "arn:aws:lambda:us-east-1:000000000000:function:f";
const rule = (Name: string, Value: string) => ({ Name, Value });

function configuration(events: string[], ...FilterRules: { Name: string; Value: string }[]): FunctionInput {
  return {
    LambdaFunctionArn: ARN,
    Events: events,
    ...(FilterRules.length ? { Filter: { Key: { FilterRules } } } : {}),
  };
}

let count = 0;
const read = (...inputs: FunctionInput[]) =>
  readConfigurations({ functions: inputs }, "us-east-1", () => `id-${count++}`);
const PUT = "s3:ObjectCreated:Put";
const CREATED = "s3:ObjectCreated:*";

test("an event goes to those whose type, prefix and suffix fit", () => {
  const all = read(
    configuration([CREATED], rule("prefix", "images/"), rule("suffix", ".jpg")),
    configuration(["s3:ObjectRemoved:Delete"]),
    configuration([PUT], rule("Prefix", "docs/")),
  );
  const reached = (event: string, key: string) => matching(all, event, key).map((one) => all.indexOf(one));
  assert.deepEqual(reached("ObjectCreated:Copy", "images/a.jpg"), [0]);
  assert.deepEqual(reached("ObjectCreated:Copy", "images/a.png"), []);
  assert.deepEqual(reached("ObjectCreated:Copy", "docs/a"), []);
  assert.deepEqual(reached("ObjectCreated:Put", "docs/a"), [2]);
  assert.deepEqual(reached("ObjectRemoved:Delete", "x"), [1]);
  assert.deepEqual(reached("ObjectRemoved:DeleteMarkerCreated", "x"), []);
});

test("two without filters may not share an event type", () => {
  assert.throws(() => read(configuration([PUT]), configuration([CREATED])), {
    code: "InvalidArgument",
    message: "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
    members: { ArgumentName: "Event", ArgumentValue: `${PUT}, ${CREATED}` },
  });
  assert.equal(read(configuration([PUT]), configuration(["s3:ObjectCreated:Copy"])).length, 2);
});

test("overlapping prefixes need suffixes that do not overlap, and the other way round", () => {
  const ambiguous = { message: /^Configuration is ambiguously defined\./ };
  const jpg = rule("suffix", ".jpg");
  const png = rule("suffix", ".png");
  assert.throws(
    () => read(configuration([PUT], rule("prefix", "a")), configuration([PUT], rule("prefix", "ab"))),
    ambiguous,
  );
  assert.throws(() => read(configuration([PUT], rule("prefix", "a")), configuration([PUT], jpg)), ambiguous);
  assert.throws(() => read(configuration([PUT], jpg), configuration([PUT])), ambiguous);
  read(configuration([PUT], rule("prefix", "a"), jpg), configuration([PUT], rule("prefix", "ab"), png));
  read(configuration([PUT], rule("prefix", "a"), jpg), configuration([PUT], rule("prefix", "b"), jpg));
});

test("what one configuration may not hold", () => {
  const cases: [FunctionInput, RegExp][] = [
    [{ ...configuration([PUT]), LambdaFunctionArn: "nonsense" }, /ARN could not be parsed/],
    [
      { ...configuration([PUT]), LambdaFunctionArn: ARN.replace("us-east-1", "eu-west-1") },
      /region is not valid/,
    ],
    [configuration(["s3:ObjectCreated:Nonsense"]), /not supported/],
    [configuration([PUT], rule("infix", "a")), /must be either prefix or suffix/],
    [configuration([PUT], rule("prefix", "a"), rule("Prefix", "b")), /more than one prefix/],
    [configuration([PUT], rule("suffix", "a".repeat(1_025))), /1024 bytes/],
  ];
  for (const [input, message] of cases)
    assert.throws(() => read(input), { code: "InvalidArgument", message });
  assert.throws(
    () => read({ ...configuration([PUT]), Id: "a" }, { ...configuration(["s3:ObjectRemoved:*"]), Id: "a" }),
    /unique/,
  );
});
