/** What a function finds in its environment, name by name. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { systemLibraries } from "../../src/sandbox/system-libraries.ts";
import { kinds, openInvoker, region, runtimes } from "./harness.ts";

const CODE = "export const handler = async () => process.env;";
/** Functions that run a program of the system too. */
const LANGUAGES: Record<string, Record<string, string>> = {
  "nodejs24.x": {
    "index.mjs": `import { execSync } from "node:child_process";
      export const handler = async () => execSync("printf runs").toString();`,
  },
  "provided.al2023": {
    bootstrap: `#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
id=$(curl -sS -D - -o /dev/null "$api/next" | grep -i '^lambda-runtime-aws-request-id' | tr -d '\\r' | cut -d' ' -f2)
curl -sS -o /dev/null -d '"runs"' "$api/$id/response"; sleep 60`,
  },
};
const python = (await runtimes.list()).find((one) => one.identifier.startsWith("python") && one.installed);
if (python)
  LANGUAGES[python.identifier] = {
    "index.py": `import subprocess
def handler(event, context): return subprocess.check_output(["printf", "runs"]).decode()`,
  };
else console.log("# SKIPPED the libraries of Python: no Python on this machine");
const ruby = (await runtimes.list()).find((one) => one.identifier.startsWith("ruby") && one.installed);
if (ruby) LANGUAGES[ruby.identifier] = { "index.rb": "def handler(event:, context:) = `printf runs`" };
else console.log("# SKIPPED the libraries of Ruby: no Ruby on this machine");

for (const kind of kinds) {
  describe(`environment variables on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    after(() => bench.close());

    test("the platform's own, and nothing of the server's", async () => {
      const version = await bench.fn({
        files: { "index.mjs": CODE },
        runtime: "nodejs24.x",
        memoryMb: 200,
        version: "7",
      });
      const { json } = await bench.call(version);
      const { LAMBDA_TASK_ROOT: root, LAMBDA_RUNTIME_DIR: runtime, AWS_LAMBDA_RUNTIME_API: api } = json;
      const lang = json.PATH.split(":")[0].replace(/\/bin$/, "");
      const opt =
        kind === "runc"
          ? "/opt"
          : json.PATH.split(":")
              .at(-1)
              .replace(/\/bin$/, "");
      if (kind === "runc")
        assert.deepEqual([root, runtime, lang], ["/var/task", "/var/runtime", "/var/lang"]);
      assert.match(api, /^[\d.]+:\d+$/);
      assert.match(json.AWS_ENDPOINT_URL, /^http:\/\/[\d.]+:4999$/);
      assert.match(json.AWS_LAMBDA_LOG_STREAM_NAME, /^\d{4}\/\d\d\/\d\d\/\[7\][0-9a-f]{32}$/);
      assert.deepEqual(json, {
        _HANDLER: "index.handler",
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
        AWS_LAMBDA_FUNCTION_NAME: version.functionName,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "200",
        AWS_LAMBDA_FUNCTION_VERSION: "7",
        AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
        AWS_LAMBDA_LOG_GROUP_NAME: version.logGroup,
        AWS_LAMBDA_LOG_STREAM_NAME: json.AWS_LAMBDA_LOG_STREAM_NAME,
        AWS_LAMBDA_LOG_FORMAT: "Text",
        AWS_ACCESS_KEY_ID: "ASIATEST",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_SESSION_TOKEN: "token",
        AWS_LAMBDA_RUNTIME_API: api,
        AWS_LAMBDA_METADATA_API: api,
        AWS_LAMBDA_METADATA_TOKEN: json.AWS_LAMBDA_METADATA_TOKEN,
        AWS_ENDPOINT_URL: json.AWS_ENDPOINT_URL,
        AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
        LAMBDA_TASK_ROOT: root,
        LAMBDA_RUNTIME_DIR: runtime,
        LANG: "en_US.UTF-8",
        TZ: ":UTC",
        PATH: `${lang}/bin:/usr/local/bin:/usr/bin/:/bin:${opt}/bin`,
        // Where nothing is mounted, the libraries are where the host has them.
        LD_LIBRARY_PATH: `${lang}/lib:${kind === "runc" ? "/lib64" : (systemLibraries() ?? "/lib64")}:/usr/lib64:${runtime}:${runtime}/lib:${root}:${root}/lib:${opt}/lib`,
        NODE_PATH: json.NODE_PATH,
        // The shell that starts it sets it, on AWS too.
        PWD: kind === "runc" ? "/var/task" : json.PWD,
        ...(kind === "process" ? { TMPDIR: json.TMPDIR } : {}),
      });
      const modules = json.NODE_PATH.split(":");
      assert.deepEqual(modules.slice(0, 2), [
        `${opt}/nodejs/node24/node_modules`,
        `${opt}/nodejs/node_modules`,
      ]);
      if (kind === "runc") assert.equal(modules[2], "/var/runtime/node_modules");
    });

    const noLibrary = {
      "lib/libc.so.6": "no library",
      "lib/libdl.so.2": "no library",
      "libm.so.6": "no library",
    };
    for (const [runtime, files] of Object.entries(LANGUAGES))
      test(`libraries of a layer and of the code do not come before the system's for ${runtime}`, async () => {
        const layer = await bench.fn({ files: noLibrary });
        const version = await bench.fn({ runtime, files: { ...noLibrary, ...files }, optDir: layer.codeDir });
        assert.equal((await bench.call(version)).json, "runs");
      });

    test("the function's own come in, and override what may be overridden", async () => {
      const environment = {
        FOO: "bar=baz\n",
        LANG: "C",
        PATH: "/mine:/bin:/usr/bin",
        AWS_REGION: "elsewhere",
        _HIDDEN: "1",
      };
      const version = await bench.fn({ files: { "index.mjs": CODE }, environment });
      const { json } = await bench.call(version);
      assert.deepEqual([json.FOO, json.LANG, json.PATH], ["bar=baz\n", "C", "/mine:/bin:/usr/bin"]);
      assert.deepEqual([json.AWS_REGION, json["_HIDDEN"]], [region, undefined]);
    });

    test("a custom runtime has no AWS_EXECUTION_ENV", async () => {
      const bootstrap = `#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
id=$(curl -sS -D - -o /dev/null "$API/next" | grep -i '^lambda-runtime-aws-request-id' | tr -d '\\r' | cut -d' ' -f2)
curl -sS -o /dev/null -d "[\\"\${AWS_EXECUTION_ENV-none}\\",\\"$_HANDLER\\",\\"$LAMBDA_TASK_ROOT\\"]" "$API/$id/response"
curl -sS "$API/next"`;
      const version = await bench.fn({
        files: { bootstrap },
        runtime: "provided.al2023",
        handler: "my.handler",
      });
      const { json } = await bench.call(version);
      assert.deepEqual(json.slice(0, 2), ["none", "my.handler"]);
    });

    test("AWS_LAMBDA_EXEC_WRAPPER starts the runtime", async () => {
      const wrapper = `#!/bin/sh\nexport WRAPPED="yes $#"\nexec "$@"\n`;
      const layer = await bench.fn({ files: { "wrap.sh": wrapper } });
      const version = await bench.fn({
        files: { "index.mjs": CODE },
        optDir: layer.codeDir,
        environment: { AWS_LAMBDA_EXEC_WRAPPER: "/opt/wrap.sh" },
      });
      assert.match((await bench.call(version)).json.WRAPPED, /^yes [34]$/);
    });

    test("a wrapper may start the runtime's module itself", async () => {
      const wrapper = `#!/bin/sh\nexport WRAPPED=itself\nexec "$1" --title=mine "$LAMBDA_RUNTIME_DIR/index.mjs"\n`;
      const layer = await bench.fn({ files: { "wrap.sh": wrapper } });
      const version = await bench.fn({
        files: {
          "index.mjs": `export const handler = async () => [process.env.WRAPPED, process.title, process.argv[1]];`,
        },
        optDir: layer.codeDir,
        environment: { AWS_LAMBDA_EXEC_WRAPPER: "/opt/wrap.sh" },
      });
      const [wrapped, title, script] = (await bench.call(version)).json;
      assert.deepEqual([wrapped, title], ["itself", "mine"]);
      assert.match(script, /\/index\.mjs$/);
    });

    test("layers are at /opt: modules, programs, files", async () => {
      const layer = await bench.fn({
        files: {
          "nodejs/node_modules/layered/index.js": "module.exports = 'from the layer';",
          "nodejs/node_modules/layered/package.json": "{}",
          "bin/tool": "#!/bin/sh\necho tool",
        },
      });
      const code = `import layered from "layered"; import { execFileSync } from "node:child_process";
        export const handler = async () => [layered, execFileSync("tool").toString()];`;
      const version = await bench.fn({ files: { "index.mjs": code }, optDir: layer.codeDir });
      assert.deepEqual((await bench.call(version)).json, ["from the layer", "tool\n"]);
    });
  });
}
