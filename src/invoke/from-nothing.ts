/** What a process that runs already cannot take any more: a function that wants it is booted from nothing. */
import type { Capabilities } from "../sandbox/sandbox.ts";
import { waitingStorageMb } from "./limits.ts";
import { moduleName } from "./runtimes/module-name.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { FunctionVersion } from "./types.ts";

/**
 * Variables that the language's engine, the C library or a library of theirs reads once, when a process starts or when it first
 * does something that a waiting process has done.
 */
const READ_AT_START = [
  // Node.js, libuv, Python, Ruby and its gems.
  /^(NODE_|UV_|PYTHON|RUBY|GEM_)/,
  // The dynamic loader, the C library: preloads, memory, name resolution, character sets.
  /^(LD_|MALLOC_|GLIBC_|GCONV_PATH$|LOCPATH$|RES_OPTIONS$|LOCALDOMAIN$|HOSTALIASES$)/,
  /^(LANG|LANGUAGE|LC_\w+)$/,
  // OpenSSL and ICU.
  /^(OPENSSL_|SSL_|CTLOG_|ICU_)/,
  // The program that starts the runtime instead of ours.
  /^AWS_LAMBDA_EXEC_WRAPPER$/,
];
export interface FromNothingInput {
  readonly version: FunctionVersion;
  readonly runtime: Runtime;
  readonly capabilities: Capabilities;
  /** Names of the files and folders among which the function's modules are looked for first. */
  readonly codeFiles: readonly string[];
  /** Names of the extensions in its layers. */
  readonly extensions: readonly string[];
}

/** Why an environment has to be booted from nothing; undefined when a process that waits will do. */
export function whyFromNothing(input: FromNothingInput): string | undefined {
  const { version, runtime, capabilities, codeFiles, extensions } = input;
  if (!capabilities.lateMounts) return "code cannot be mounted into a sandbox that runs";
  if (runtime.loadedAhead === undefined) return `processes of ${runtime.identifier} are not booted ahead`;
  if (version.ephemeralStorageMb !== waitingStorageMb) return `its /tmp has ${version.ephemeralStorageMb} MB`;
  if (extensions.length > 0) return `extensions start before its runtime: ${extensions.join(", ")}`;
  const variable = Object.keys(version.environment).find((name) =>
    READ_AT_START.some((pattern) => pattern.test(name)),
  );
  if (variable !== undefined) return `${variable} is read when a process starts`;
  const module = codeFiles.map(moduleName).find((name) => runtime.loadedAhead?.has(name));
  return module === undefined ? undefined : `its code has a module ${module} of its own`;
}
