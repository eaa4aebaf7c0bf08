/** The metadata endpoint, asked from inside the sandbox. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { kinds, openInvoker } from "./harness.ts";

const CODE = `
const ask = async (path, token, method = "GET") => {
  const headers = token === undefined ? {} : { Authorization: token };
  const answer = await fetch("http://" + process.env.AWS_LAMBDA_METADATA_API + path, { method, headers });
  return [answer.status, answer.headers.get("cache-control"), (await answer.text())];
};
export const handler = async () => {
  const path = "/2026-01-15/metadata/execution-environment";
  const token = "Bearer " + process.env.AWS_LAMBDA_METADATA_TOKEN;
  return [await ask(path, token), (await ask(path))[0], (await ask(path, token + "x"))[0], (await ask(path, token, "PUT"))[0], (await ask(path + "s", token))[0]];
};`;

for (const kind of kinds)
  describe(`metadata on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    after(() => bench.close());

    test("a function learns the zone that it runs in, with its own token alone", async () => {
      const version = await bench.fn({ files: { "index.mjs": CODE }, region: "eu-central-1" });
      const [good, ...refused] = (await bench.call(version)).json;
      assert.deepEqual(good, [200, "private, max-age=43200, immutable", '{"AvailabilityZoneID":"euc1-az1"}']);
      assert.deepEqual(refused, [401, 401, 405, 404]);
    });
  });
