/** That no operation is left open because nobody thought of what it needs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthorization } from "./authorization.ts";
import { authorizationFrom } from "./service.ts";
import type { Service } from "./service.ts";

const policies = { decide: async () => ({ decision: "allowed", because: [] }) as const };
const operations = new Map([["ListQueues", async () => ({})]]);
type Client = typeof import("@aws-sdk/client-sqs");

test("a service with an operation whose requirements are not known is refused at start", () => {
  const services: Service[] = [
    { name: "sqs", operations },
    { name: "sqs", operations, authorization: authorizationFrom<Client>({}) },
  ];
  for (const service of services)
    assert.throws(
      () => createAuthorization([service], policies),
      /What sqs ListQueues needs .* is not known/,
    );
  const known = authorizationFrom<Client>({
    ListQueues: () => [{ action: "sqs:ListQueues", resource: "*" }],
  });
  createAuthorization([{ name: "sqs", operations, authorization: known }], policies);
});
