/** OS-only runtimes: the function brings a program named `bootstrap` that speaks the Runtime API. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { join } from "node:path";
import { PROVIDED } from "./identifiers.ts";
import type { Runtime, RuntimeFamily, RuntimeListing } from "./runtime.ts";

export function providedFamily(): RuntimeFamily {
  return {
    language: "Go, Rust, C++, shell …",
    identifiers: PROVIDED,
    source: "the function's own `bootstrap`",
    list: async () => PROVIDED.map(listing),
    find: async (identifier) =>
      PROVIDED.some((one) => one === identifier) ? listing(identifier) : undefined,
    install: async (identifier) => providedRuntime(identifier),
  };
}

function listing(identifier: string): RuntimeListing {
  const detail = "runs the function's own bootstrap";
  return { identifier, version: "", detail, available: true, installed: true };
}

function providedRuntime(identifier: string): Runtime {
  return {
    identifier,
    kind: "provided",
    channel: "http",
    version: "",
    languageMounts: [],
    command: () => [],
    variables: () => ({}),
  };
}

/** The program of a function: that of its code, else that of its layers; or the reason why there is none, in AWS's words. */
export async function bootstrapOf(
  codeDir: string,
  optDir: string | undefined,
): Promise<{ readonly path: string } | { readonly reason: string }> {
  for (const [inside, folder] of [
    ["/var/task", codeDir],
    ["/opt", optDir],
  ] as const) {
    if (folder === undefined) continue;
    const file = join(folder, "bootstrap");
    const info = await stat(file).catch(() => undefined);
    if (!info?.isFile()) continue;
    const runnable = await access(file, constants.X_OK).then(
      () => (info.mode & 0o001) !== 0,
      () => false,
    );
    return runnable
      ? { path: `${inside}/bootstrap` }
      : { reason: `fork/exec ${inside}/bootstrap: permission denied` };
  }
  return { reason: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" };
}
