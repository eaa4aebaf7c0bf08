/** The examples that AWS documents: a GET with a range, and the three chunks of a signed upload. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { WireRequest } from "../http/wire-request.ts";
import { createSigningKeys } from "./signing-key.ts";
import { chainSignature, checkSignature, EMPTY_SHA256 } from "./sigv4.ts";

const scope = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  date: "20130524",
  region: "us-east-1",
  signingName: "s3",
};
const key = createSigningKeys().get("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope);
const amzDate = "20130524T000000Z";

test("GET object of the S3 API reference", () => {
  const headers = { range: "bytes=0-9", "x-amz-content-sha256": EMPTY_SHA256, "x-amz-date": amzDate };
  const request = {
    method: "GET",
    path: "/test.txt",
    rawQuery: "",
    headers,
    host: "examplebucket.s3.amazonaws.com",
  };
  const signed = {
    request: request as unknown as WireRequest,
    scope,
    signedHeaders: ["host", "range", "x-amz-content-sha256", "x-amz-date"],
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    amzDate,
    payloadHash: EMPTY_SHA256,
    isPresigned: false,
  };
  assert.equal(checkSignature(signed, key).matches, true);
  assert.equal(
    checkSignature({ ...signed, signature: signed.signature.replace("f", "e") }, key).matches,
    false,
  );
  assert.equal(checkSignature({ ...signed, signature: "" }, key).matches, false);
});

test("the chunk signatures of the S3 API reference", () => {
  let previous = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  for (const [sha256, expected] of [
    [
      "bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a",
      "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    ],
    [
      "2edc986847e209b4016e141a6dc8716d3207350f416969382d431539bf292e4a",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    ],
    [EMPTY_SHA256, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"],
  ] as const) {
    assert.equal(chainSignature("PAYLOAD", key, { amzDate, scope, previous, sha256 }), expected);
    previous = expected;
  }
});
