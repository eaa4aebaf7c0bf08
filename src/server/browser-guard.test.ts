import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignPage } from "./browser-guard.ts";

test("tools and pages of this machine pass", () => {
  assert.equal(foreignPage({ host: "anything.example:4566" }), undefined);
  assert.equal(foreignPage({ host: "localhost:4566", origin: "http://localhost:3000" }), undefined);
  assert.equal(foreignPage({ host: "bucket.s3.localhost:4566", "sec-fetch-site": "none" }), undefined);
  assert.equal(foreignPage({ host: "[::1]:4566", origin: "http://[::1]:4566" }), undefined);
});

test("a page of another host is refused by its origin, a rebound name by its host", () => {
  assert.equal(
    foreignPage({ host: "localhost:4566", origin: "https://evil.example" }),
    "https://evil.example",
  );
  assert.equal(foreignPage({ host: "localhost:4566", origin: "null" }), "null");
  assert.equal(
    foreignPage({ host: "localhost:4566", origin: "http://localhost.evil.example" }),
    "http://localhost.evil.example",
  );
  assert.equal(foreignPage({ host: "evil.example:4566", "sec-fetch-site": "same-origin" }), "evil.example");
});
