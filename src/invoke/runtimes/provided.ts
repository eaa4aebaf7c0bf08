/** OS-only runtimes: the function brings a program named `bootstrap` that speaks the Runtime API. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Runtime } from "./runtime.ts";

export function providedRuntime(identifier: string): Runtime {
  return {
    identifier,
    kind: "provided",
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
