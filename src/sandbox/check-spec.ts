/** What every provider refuses before it makes anything. */
import { statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { SandboxError } from "./sandbox.ts";
import type { SandboxSpec } from "./sandbox.ts";

const ID = /^[a-z0-9-]{1,64}$/;

/** @throws SandboxError that names what is wrong. */
export function checkSpec(spec: SandboxSpec): void {
  if (!ID.test(spec.id)) throw new SandboxError(`"${spec.id}" is no sandbox id; it must match ${ID.source}`);
  for (const [name, megabytes] of Object.entries({
    memoryMb: spec.memoryMb,
    ephemeralStorageMb: spec.ephemeralStorageMb,
  }))
    if (!Number.isInteger(megabytes) || megabytes < 1)
      throw new SandboxError(`${name} of ${spec.id} is ${megabytes}`);
  const folders = {
    "/": spec.rootDir,
    "/var/task": spec.codeDir,
    "/opt": spec.optDir,
    "/var/runtime": spec.runtimeDir,
    "/run/lambent": spec.socketDir,
  };
  for (const [target, source] of Object.entries(folders))
    if (source !== undefined) mustBeThere(source, target);
  for (const { source, target } of spec.languageMounts) {
    if (!isAbsolute(target)) throw new SandboxError(`${target} is no path inside`);
    mustBeThere(source, target);
  }
}

function mustBeThere(source: string, target: string): void {
  try {
    statSync(source);
  } catch (error) {
    throw new SandboxError(`${source}, wanted at ${target}, is not there`, { cause: error });
  }
}
