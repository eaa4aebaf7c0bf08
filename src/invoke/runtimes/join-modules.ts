/**
 * Joins the modules of a bootstrap into one CommonJS module: Node.js spends a millisecond and more on each module of ours that it loads,
 * and seven on making its loader of ES modules ready, which many functions never need. Together they are most of what our part of a cold
 * start costs. It understands the few forms that our own modules are written in, and refuses others.
 */

const LOCAL_IMPORT = /^import (\{[^}]*\}) from "\.\/([\w-]+\.mjs)";\n/gm;
const CORE_IMPORT = /^import (\{[^}]*\}) from "(node:[\w/]+)";\n/gm;
const OWN_URL = /\bimport\.meta\.url\b/g;
const EXPORT = /^export (?:async )?(?:function\*?|class|const) (\w+)/gm;

/**
 * The text of one CommonJS module that does what `entry` does with all that it imports.
 * @param modules File name → text.
 * @param prelude Statements that come first.
 * @throws when a module is written in a form that is not understood.
 */
export function joinModules(modules: ReadonlyMap<string, string>, entry: string, prelude = ""): string {
  const core = new Set<string>();
  const joined = new Map<string, string>();
  const add = (name: string) => {
    const text = modules.get(name);
    if (text === undefined) throw new Error(`the bootstrap has no module ${name}`);
    // What it imports comes first; a circle would call this for ever.
    for (const [, , other = ""] of text.matchAll(LOCAL_IMPORT)) if (!joined.has(other)) add(other);
    for (const [, , from = ""] of text.matchAll(CORE_IMPORT)) core.add(from);
    joined.set(name, asExpression(name, text));
  };
  add(entry);
  const imports = [...core].map((from) => `const ${variable(from)} = require("${from}");\n`);
  return `"use strict";\n${prelude}${imports.join("")}${URL_OF_IT}${[...joined.values()].join("")}`;
}

/** Stands for `import.meta.url`, which is the same for all. */
const URL_OF_IT = `const $url = require("node:url").pathToFileURL(__filename).href;\n`;

/** A function that is called at once keeps a module's names to itself and answers what it exports. */
function asExpression(name: string, text: string): string {
  const exported = [...text.matchAll(EXPORT)].map(([, each]) => each);
  const body = text
    .replace(LOCAL_IMPORT, (_, names: string, from: string) => `const ${names} = ${variable(from)};\n`)
    .replace(CORE_IMPORT, (_, names: string, from: string) => `const ${names} = ${variable(from)};\n`)
    .replace(OWN_URL, "$$url")
    .replace(/^export (?=(async )?(function|class|const) )/gm, "");
  if (
    /^(import|export)\b|\bimport\.meta\b/m.test(body) ||
    / as /.test(text.match(/^import [^;]*;/gm)?.join("") ?? "")
  )
    throw new Error(`${name} imports or exports in a form that cannot be joined`);
  return `const ${variable(name)} = (() => {\n${body}return { ${exported.join(", ")} };\n})();\n`;
}

/** `$invocation_loop_mjs` for `invocation-loop.mjs`, `$node_fs` for `node:fs`: names that no module of ours gives to anything. */
function variable(module: string): string {
  return `$${module.replaceAll(/\W/g, "_")}`;
}
