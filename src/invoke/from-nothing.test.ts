/** What makes a function's environments boot from nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { whyFromNothing } from "./from-nothing.ts";
import type { FromNothingInput } from "./from-nothing.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { FunctionVersion } from "./types.ts";

const runtime: Runtime = {
  identifier: "python3.11",
  kind: "python",
  channel: "frames",
  version: "3.11.2",
  languageMounts: [],
  command: () => ["python"],
  loadedAhead: new Set(["json", "http"]),
  variables: () => ({}),
};
const version = { ephemeralStorageMb: 512, environment: {} } as FunctionVersion;
const why = (input: Partial<FromNothingInput>) =>
  whyFromNothing({
    version,
    runtime,
    capabilities: { lateMounts: true, checkpoints: undefined },
    codeFiles: ["app.py"],
    extensions: [],
    ...input,
  });
const withVariable = (name: string) => why({ version: { ...version, environment: { [name]: "x" } } });

test("nothing ordinary does", () => {
  assert.equal(why({}), undefined);
  for (const name of [
    "TZ",
    "PATH",
    "TABLE",
    "MY_NODE_OPTIONS",
    "AWS_LAMBDA_LOG_LEVEL",
    "LANGUAGE_CODE",
    "SSLMODE",
  ])
    assert.equal(withVariable(name), undefined, name);
});

test("variables that are read when a process starts do", () => {
  for (const name of [
    "NODE_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "UV_THREADPOOL_SIZE",
    "PYTHONPATH",
    "RUBYOPT",
    "GEM_PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LANG",
    "LC_ALL",
    "MALLOC_ARENA_MAX",
    "GLIBC_TUNABLES",
    "SSL_CERT_FILE",
    "OPENSSL_CONF",
    "RES_OPTIONS",
    "AWS_LAMBDA_EXEC_WRAPPER",
  ])
    assert.equal(withVariable(name), `${name} is read when a process starts`);
});

test("what a sandbox that waits does not have does", () => {
  assert.match(
    why({ capabilities: { lateMounts: false, checkpoints: undefined } }) ?? "",
    /cannot be mounted/,
  );
  assert.match(why({ version: { ...version, ephemeralStorageMb: 513 } }) ?? "", /513 MB/);
  assert.match(why({ extensions: ["watcher"] }) ?? "", /extensions start before its runtime: watcher/);
  const { loadedAhead: _, ...provided } = runtime;
  assert.match(why({ runtime: provided }) ?? "", /not booted ahead/);
});

test("modules that would take the place of loaded ones do", () => {
  for (const file of ["json.py", "json", "http", "json.cpython-311-x86_64-linux-gnu.so", "json-2.9.1"])
    assert.match(why({ codeFiles: ["app.py", file] }) ?? "", /a module (json|http) of its own/, file);
  assert.equal(why({ codeFiles: ["jsonish.py", "my.json", "json-schema-4.0.0"] }), undefined);
});
