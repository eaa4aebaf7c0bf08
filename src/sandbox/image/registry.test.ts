import assert from "node:assert/strict";
import { test } from "node:test";
import { readChallenge } from "./registry.ts";
import { accessTo, isOfThisMachine } from "./registry-settings.ts";

test("a challenge is read with quoted and bare parameters", () => {
  assert.deepEqual(
    readChallenge('Bearer realm="https://a/token?x=1,2",service=registry.io,Scope="repository:a/b:pull"'),
    {
      scheme: "bearer",
      parameters: {
        realm: "https://a/token?x=1,2",
        service: "registry.io",
        scope: "repository:a/b:pull",
      },
    },
  );
  assert.deepEqual(readChallenge("Basic"), { scheme: "basic", parameters: {} });
  assert.deepEqual(readChallenge(""), { scheme: "", parameters: {} });
});

test("registries of this machine and those that are named go without TLS, the rest with it; Docker's has another name", async () => {
  for (const host of [
    "localhost",
    "localhost:1",
    "127.0.0.2:5000",
    "[::1]:5000",
    "1.dkr.ecr.x.localhost:4566",
  ])
    assert.ok(isOfThisMachine(host), host);
  for (const host of ["localhost.evil.com", "127.0.0.1.evil.com", "10.0.0.1", "notlocalhost"])
    assert.ok(!isOfThisMachine(host), host);
  const origin = async (registry: string) =>
    (await accessTo({ registry }, { authFile: undefined, insecure: ["lan:5000"] })).origin;
  assert.equal(await origin("lan:5000"), "http://lan:5000");
  assert.equal(await origin("lan:5001"), "https://lan:5001");
  assert.equal(await origin("docker.io"), "https://registry-1.docker.io");
});
