/** Finds and loads the function's handler: `folder/module.export.path`. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { runtimeError } from "./errors.mjs";
import { defineAwslambda, streamingOptions } from "./streaming.mjs";

// A function that reads a "Require stack" finds there what it finds on AWS.
const require = createRequire(new URL("./index.mjs", import.meta.url));
/** Parameters of a handler that takes a callback. */
const callbackParameters = 3;

/**
 * The handler's function.
 * @param isModern Node 24 or later: callback handlers are refused. (The third parameter of a streaming handler is its context.)
 * Throws errors whose names AWS gives them: Runtime.ImportModuleError, Runtime.HandlerNotFound and so on.
 */
export async function loadHandler(root, handler, isModern) {
  const { folder, module, path } = parse(handler);
  defineAwslambda();
  const loaded = await loadModule(root, folder, module);
  const found = find(loaded, path) ?? (isModern ? find(loaded.default, path) : undefined);
  if (!found) throw runtimeError("HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw runtimeError("HandlerNotFound", `${handler} is not a function`);
  if (!streamingOptions(found) && isModern && found.length >= callbackParameters)
    throw runtimeError(
      "CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  return found;
}

function parse(handler) {
  if (handler.includes(".."))
    throw runtimeError(
      "MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  const last = basename(handler);
  const match = /^([^.]*)\.(.*)$/.exec(last);
  if (!match) throw runtimeError("MalformedHandlerName", "Bad handler");
  return { folder: handler.slice(0, handler.indexOf(last)), module: match[1], path: match[2] };
}

/** A module by its path without extension, however it is written. */
export async function loadModule(root, folder, module) {
  const path = resolve(root, folder, module);
  try {
    if (existsSync(path) && !existsSync(join(path, "package.json")) && !isFolder(path)) return require(path);
    if (existsSync(`${path}.js`))
      return isModuleFolder(dirname(path)) ? await load(`${path}.js`) : await requireOrImport(`${path}.js`);
    if (existsSync(`${path}.mjs`)) return await load(`${path}.mjs`);
    if (existsSync(`${path}.cjs`)) return require(`${path}.cjs`);
    return require(require.resolve(module, { paths: [root, join(root, folder)] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError("UserCodeSyntaxError", String(error), error.stack);
    if (error?.code === "MODULE_NOT_FOUND")
      throw runtimeError("ImportModuleError", `${error.name}: ${error.message}`);
    throw error;
  }
}

/** A .js file without "type" may hold ES module syntax, with top-level await even; require cannot load the latter. */
async function requireOrImport(path) {
  try {
    return require(path);
  } catch (error) {
    if (error?.code === "ERR_REQUIRE_ASYNC_MODULE") return load(path);
    throw error;
  }
}

function load(path) {
  return import(pathToFileURL(path).href);
}

function isFolder(path) {
  return existsSync(`${path}/.`);
}

/** Whether the nearest package.json says that .js files are ES modules. */
function isModuleFolder(folder) {
  if (folder.endsWith("/node_modules")) return false;
  const file = join(folder, "package.json");
  if (existsSync(file)) {
    try {
      return JSON.parse(readFileSync(file, "utf8"))?.type === "module";
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return folder === "/" ? false : isModuleFolder(dirname(folder));
}

function find(module, path) {
  return path.split(".").reduce((value, key) => value?.[key], module);
}
