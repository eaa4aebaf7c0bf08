/** Lets ES modules find packages along NODE_PATH, as CommonJS modules do and as AWS's runtime lets them. */
import { register, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

export function resolveFromNodePath() {
  const folders = (process.env.NODE_PATH ?? "")
    .split(":")
    .filter((folder) => folder.endsWith("/node_modules"));
  if (folders.length === 0) return;
  const parents = folders.map(
    (folder) => pathToFileURL(folder.slice(0, -"node_modules".length) + "importer.mjs").href,
  );
  if (registerHooks === undefined) {
    register(new URL("node-path-hooks.mjs", import.meta.url), { data: { parents } });
    return;
  }
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!isBare(specifier) || !context.conditions.includes("import"))
        return nextResolve(specifier, context);
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
        for (const parentURL of parents) {
          try {
            return nextResolve(specifier, { ...context, parentURL });
          } catch (next) {
            if (next.code !== "ERR_MODULE_NOT_FOUND") throw next;
          }
        }
        throw error;
      }
    },
  });
}

function isBare(specifier) {
  return !/^(\.{0,2}\/|node:|file:|data:|#)/.test(specifier);
}
