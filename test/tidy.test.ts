/** The house rules as tests: who may import whom, how long a file may be, what may not stand in the tree. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { operationsOf, serviceFolders, testedOperations } from "../scripts/operations.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FILE_LINES_MAX = 500;

/** Each layer may import itself and what stands to its right (design: one-way imports). */
const LAYERS = [
  ["main"],
  ["cli", "index"],
  ["server"],
  ["services", "sources", "courier"],
  ["invoke", "aws"],
  ["sandbox", "store"],
  ["telemetry", "config"],
  ["kit"],
];

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(ROOT, file)));
const code = files.filter((file) => /\.(ts|mts|mjs|cjs|js|py|rb)$/.test(file) && !file.includes(".gen."));
const source = code.filter((file) => file.startsWith("src/") && !file.endsWith(".test.ts"));
const textOf = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** Every file a source file imports, type imports included, as paths from the root. */
function importsOf(file: string): string[] {
  const pattern = /(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g;
  return [...textOf(file).matchAll(pattern)].map((match) => normalize(join(dirname(file), match[1] ?? "")));
}

function layerOf(file: string): number {
  const part = file.split("/")[1] ?? "";
  const name = part.endsWith(".ts") ? basename(part, ".ts") : part;
  const layer = LAYERS.findIndex((names) => names.includes(name));
  assert.notEqual(layer, -1, `${file} lies in no known layer`);
  return layer;
}

/** `services/s3`, or the plain part name for everything else. */
function unitOf(file: string): string {
  const [, part = "", name = ""] = file.split("/");
  return part === "services" ? `services/${name}` : part;
}

test("imports go one way: main, cli, server, services and sources and courier, invoke and aws, sandbox and store, telemetry and config, kit", () => {
  const wrong: string[] = [];
  for (const file of source)
    for (const target of importsOf(file).filter((one) => one.startsWith("src/"))) {
      const [from, to] = [layerOf(file), layerOf(target)];
      const sideways = from === to && unitOf(file) !== unitOf(target);
      if (to < from || sideways) wrong.push(`${file} imports ${target}`);
    }
  assert.deepEqual(wrong, []);
});

test("no service imports another; of the services only lambda imports invoke; others import a service's index only", () => {
  const wrong: string[] = [];
  for (const file of source)
    for (const target of importsOf(file)) {
      const outside = target.startsWith("src/services/") && unitOf(target) !== unitOf(file);
      if (outside && !/^src\/services\/[^/]+\/index\.ts$/.test(target))
        wrong.push(`${file} imports ${target}`);
      const invokes = target.startsWith("src/invoke/") && file.startsWith("src/services/");
      if (invokes && !file.startsWith("src/services/lambda/")) wrong.push(`${file} imports ${target}`);
    }
  assert.deepEqual(wrong, []);
});

test("only src/config reads the environment", () => {
  const wrong = source.filter(
    (file) => !file.startsWith("src/config/") && textOf(file).includes("process.env"),
  );
  assert.deepEqual(wrong, []);
});

test(`no file is longer than ${FILE_LINES_MAX} lines`, () => {
  const wrong = code.filter((file) => textOf(file).split("\n").length > FILE_LINES_MAX + 1);
  assert.deepEqual(wrong, []);
});

test("no function is longer than 70 lines: the linter holds it, and is not talked out of it without a reason", () => {
  const { rules } = JSON.parse(textOf(".oxlintrc.json")) as {
    rules: Record<string, [string, { max: number }]>;
  };
  assert.deepEqual(
    [rules["max-lines"], rules["max-lines-per-function"]].map((rule) => [rule?.[0], rule?.[1].max]),
    [
      ["error", FILE_LINES_MAX],
      ["error", 70],
    ],
  );
  const unreasoned = /(?:ox|es)lint-disable(?!.* -- \S)/;
  assert.deepEqual(
    code.filter((file) => file !== "test/tidy.test.ts" && unreasoned.test(textOf(file))),
    [],
  );
});

test("no `export *`", () => {
  const wrong = code.filter((file) => file.endsWith(".ts") && /^\s*export \*/m.test(textOf(file)));
  assert.deepEqual(wrong, []);
});

test("every source file opens with a comment that says what it is for", () => {
  const wrong = source.filter((file) => !/^(#!.*\n)?\/\*\*/.test(textOf(file)));
  assert.deepEqual(wrong, []);
});

test("no path of a developer's machine stands in the tree", () => {
  const machine = new RegExp(
    ["/work/", "/root/(?!\\.)", "/home/[a-z]+/"].map((one) => `["'\`\\s]${one}`).join("|"),
  );
  const text = files.filter(
    (file) => /\.(ts|mjs|cjs|js|py|md|json|sh|ya?ml)$/.test(file) && file !== "test/tidy.test.ts",
  );
  assert.deepEqual(
    text.filter((file) => machine.test(textOf(file))),
    [],
  );
});

test("every test and benchmark that SPECIFICATION.md names is there", () => {
  const named = [
    ...textOf("SPECIFICATION.md").matchAll(/`((?:src|bench)\/[\w./*{},-]+|[\w./*{},-]+\.test\.ts)`/g),
  ];
  assert.ok(named.length > 40);
  const missing = named
    .map(([, path = ""]) => (/^(src|bench)\//.test(path) ? path : `test/${path}`))
    .filter((path) => globSync(path, { cwd: ROOT }).length === 0);
  assert.deepEqual(missing, []);
});

test("every implemented operation has a test whose title names it", async () => {
  const wrong: string[] = [];
  for (const service of serviceFolders()) {
    const tested = testedOperations(service);
    for (const operation of await operationsOf(service))
      if (!tested.has(operation)) wrong.push(`${service} ${operation}`);
  }
  assert.deepEqual(wrong, []);
});
