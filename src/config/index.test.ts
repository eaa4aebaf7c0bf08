import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, loadConfig } from "./index.ts";

test("a flag wins over a variable, a variable over the default", () => {
  assert.equal(loadConfig({}, {}).port, 4566);
  assert.equal(loadConfig({}, { LAMBENT_PORT: "5000" }).port, 5000);
  assert.equal(loadConfig({ port: 6000 }, { LAMBENT_PORT: "5000" }).port, 6000);
});

test("an open door without authentication is refused", () => {
  assert.throws(
    () => loadConfig({ host: "0.0.0.0" }, {}),
    /Refusing to listen on 0\.0\.0\.0 without authentication/,
  );
  assert.throws(() => loadConfig({ host: "127.evil.example" }, {}), ConfigError);
  assert.equal(loadConfig({ host: "0.0.0.0", auth: "on" }, {}).host, "0.0.0.0");
  assert.equal(loadConfig({ host: "::1" }, {}).auth, "off");
});

test("local endpoints are called where it is asked for, and by who develops", () => {
  const local = (input: object, env = {}) => loadConfig(input, env).localEndpoints;
  assert.deepEqual(
    [local({}), local({ dev: "on" }), local({ dev: "on", localEndpoints: "off" })],
    ["off", "on", "off"],
  );
  assert.equal(local({}, { LAMBENT_LOCAL_ENDPOINTS: "on" }), "on");
});

test("a bad value is refused by name, with what it may be", () => {
  assert.throws(
    () => loadConfig({}, { LAMBENT_AUTH: "maybe" }),
    /auth is "maybe"; it must be one of: off, on/,
  );
  assert.throws(() => loadConfig({}, { LAMBENT_PORT: "http" }), /port is "http"; it must be a whole number/);
  assert.throws(() => loadConfig({ port: 70_000 }, {}), ConfigError);
});

test("the configuration is frozen", () => {
  assert.ok(Object.isFrozen(loadConfig({}, {})));
});
