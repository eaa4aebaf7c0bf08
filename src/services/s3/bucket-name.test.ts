/** Which bucket names are taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isValidBucketName } from "./bucket-name.ts";

test("names that S3 takes", () => {
  for (const name of ["abc", "my.bucket-1", "1bucket", "a".repeat(63), "a-.b"])
    assert.ok(isValidBucketName(name), name);
});

test("names that S3 refuses", () => {
  const wrong = [
    "ab",
    "a".repeat(64),
    "Abc",
    "a_b",
    "-abc",
    "abc-",
    ".abc",
    "abc.",
    "a..b",
    "192.168.5.4",
    "xn--abc",
  ];
  for (const name of [
    ...wrong,
    "sthree-x",
    "amzn-s3-demo-bucket",
    "x-s3alias",
    "x--ol-s3",
    "x.mrap",
    "x--x-s3",
    "x y",
  ])
    assert.ok(!isValidBucketName(name), name);
});
