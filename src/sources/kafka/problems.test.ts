import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessError } from "../access/access-error.ts";
import { problemOf } from "./problems.ts";

/** An error of the library around one with a code, as it gathers those of its tries. */
const around = (inner: object) =>
  Object.assign(new Error("Connecting failed."), { errors: [Object.assign(new Error("why"), inner)] });

test("what is wrong between a mapping and its cluster is told in AWS's words", () => {
  for (const [inner, words] of [
    [{ apiId: "TOPIC_AUTHORIZATION_FAILED" }, "Cluster failed to authorize Lambda."],
    [{ apiId: "GROUP_AUTHORIZATION_FAILED" }, "Cluster failed to authorize Lambda."],
    [{ code: "PLT_KFK_AUTHENTICATION" }, "SASL authentication failed."],
    [{ code: "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE" }, "Server failed to authenticate Lambda."],
    [{ code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" }, "Server failed to authenticate Lambda."],
    [{ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }, "Lambda failed to authenticate server."],
    [{ code: "CERT_HAS_EXPIRED" }, "Lambda failed to authenticate server."],
    [{ code: "ERR_OSSL_PEM_NO_START_LINE" }, "Provided certificate or private key is invalid."],
    [{ code: "ECONNREFUSED" }, "Connection error. why."],
  ] as const)
    assert.equal(problemOf(around(inner)), `PROBLEM: ${words}`);
  assert.equal(problemOf(new AccessError("the secret is unknown")), "PROBLEM: the secret is unknown");
});
