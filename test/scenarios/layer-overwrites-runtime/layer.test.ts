/**
 * A layer whose files are named like the runtime's own: they are the function's to import, and the runtime's stay what they are.
 * Layers have no API yet; the data path takes their merged folder.
 */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { kinds, openInvoker, runtimes } from "../../invoke/harness.ts";

const BROKEN_NODE = `throw new Error("the layer's file was loaded");`;
const BROKEN_PYTHON = `raise RuntimeError("the layer's file was loaded")`;
const FILES: Readonly<Record<string, string>> = {
  "nodejs/node_modules/connection.mjs": BROKEN_NODE,
  "nodejs/node_modules/invocation-loop/index.js": BROKEN_NODE,
  "var/runtime/index.mjs": BROKEN_NODE,
  "runtime/index.mjs": BROKEN_NODE,
  bootstrap: "#!/bin/sh\nexit 99\n",
  "bin/node": "#!/bin/sh\nexit 98\n",
  "bin/python3": "#!/bin/sh\nexit 97\n",
  "python/bootstrap.py": BROKEN_PYTHON,
  "python/lambent_connection.py": BROKEN_PYTHON,
  "python/lambent_context.py": BROKEN_PYTHON,
};

const python = await (async () => {
  for (let minor = 14; minor >= 8; minor--)
    if ((await runtimes.find(`python3.${minor}`)).status === "ready") return `python3.${minor}`;
  console.log("# SKIPPED layers with Python: there is no Python that Lambda has a runtime for");
  return undefined;
})();

for (const kind of kinds.filter((one) => one !== "process"))
  describe(`a layer that overwrites the runtime's files on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    const optDir = await mkdtemp(join(tmpdir(), "lambent-layer-"));
    await chmod(optDir, 0o755);
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(optDir, name)), { recursive: true, mode: 0o755 });
      await writeFile(join(optDir, name), text, { mode: 0o755 });
    }
    await symlink("/var/runtime/index.mjs", join(optDir, "to-the-runtime"));
    after(async () => {
      await bench.close();
      await rm(optDir, { recursive: true, force: true });
    });

    test("leaves a Node function as it was, and cannot be written through", async () => {
      const code = `import { readFileSync, writeFileSync } from "node:fs";
        export const handler = async () => {
          try { writeFileSync("/opt/to-the-runtime", "x"); } catch (error) { return [error.code, readFileSync("/opt/runtime/index.mjs", "utf8")]; }
        };`;
      const version = await bench.fn({ files: { "index.mjs": code }, optDir });
      assert.deepEqual((await bench.call(version)).json, ["EROFS", BROKEN_NODE]);
    });

    test("leaves a Python function as it was", { skip: python ? false : "needs Python" }, async () => {
      const version = await bench.fn({
        files: { "app.py": "def handler(event, context):\n    return 'well'\n" },
        runtime: python ?? "",
        handler: "app.handler",
        optDir,
      });
      const answer = await bench.call(version);
      assert.equal(answer.json, "well", answer.payload.toString());
    });

    test("gives a custom runtime its bootstrap only where the function has none", async () => {
      const bootstrap = `#!/bin/sh
id=$(curl -sS -D - -o /dev/null "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next" | tr -d '\\r' | sed -n 's/^lambda-runtime-aws-request-id: //Ip')
curl -sS -o /dev/null -d '"own"' "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
sleep 100`;
      const version = await bench.fn({ files: { bootstrap }, runtime: "provided.al2023", optDir });
      const answer = await bench.call(version);
      assert.equal(answer.json, "own", answer.payload.toString());
    });
  });
