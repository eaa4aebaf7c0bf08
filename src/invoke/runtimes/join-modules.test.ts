/** Modules joined into one do what they did, and keep their names apart. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { compileFunction } from "node:vm";
import { joinModules } from "./join-modules.ts";

const modules = (files: Record<string, string>) => new Map(Object.entries(files));
const run = (text: string) =>
  compileFunction(text, ["require", "__filename"])(createRequire(import.meta.url), "/var/runtime/index.cjs");

test("each module is run once, after what it imports, with names of its own", () => {
  const joined = joinModules(
    modules({
      "index.mjs": `/** Opens. */\nimport { a } from "./one.mjs";\nimport {\n  b,\n  C,\n} from "./two-b.mjs";\nimport { basename } from "node:path";\nglobalThis.joined = [...globalThis.joined, import.meta.url, a(), b, new C().hidden(), basename("/x/y")];\n`,
      "one.mjs": `import { b } from "./two-b.mjs";\nconst hidden = "one";\nexport function a() {\n  return hidden + b;\n}\n`,
      "two-b.mjs": `import { basename, join } from "node:path";\nglobalThis.joined = ["once"];\nconst hidden = "two";\nexport const b = join("x", basename("/y"));\nexport class C {\n  hidden() {\n    return hidden;\n  }\n}\n`,
      "unused.mjs": `throw new Error("nobody imports it");\n`,
    }),
    "index.mjs",
  );
  run(joined);
  const { joined: seen } = globalThis as unknown as { joined: string[] };
  assert.deepEqual(seen, ["once", "file:///var/runtime/index.cjs", "onex/y", "x/y", "two", "y"]);
  assert.equal(joined.match(/require\("node:path"\)/g)?.length, 1);
});

test("a form that is not understood is refused, not guessed", () => {
  for (const text of [
    `import x from "./x.mjs";\n`,
    `import * as x from "node:fs";\n`,
    `import { x as y } from "node:fs";\n`,
    `export default 1;\n`,
    `export { x };\n`,
    `const { dirname } = import.meta;\n`,
  ])
    assert.throws(() => joinModules(modules({ "index.mjs": text }), "index.mjs"), /cannot be joined/, text);
  assert.throws(
    () => joinModules(modules({ "index.mjs": `import { x } from "./gone.mjs";\n` }), "index.mjs"),
    /no module gone\.mjs/,
  );
});
