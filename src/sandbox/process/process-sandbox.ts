/** One function process of the `process` provider: signals instead of cgroups, real folders instead of mounts. */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { isAbsolute } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { FILE_DESCRIPTORS_MAX } from "../limits.ts";
import { SandboxError } from "../sandbox.ts";
import type { Inside, Sandbox, SandboxExit, SandboxSpec } from "../sandbox.ts";
import { layoutPaths, translate } from "./layout-paths.ts";
import { remember } from "./remains.ts";

type Child = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Starts the process.
 * @param home A folder of its own; removed when it is gone.
 * @param gone Called once when nothing of it is left.
 * @throws SandboxError when it cannot be started.
 */
export async function startProcess(spec: SandboxSpec, home: string, gone: () => void): Promise<Sandbox> {
  const tmp = `${home}/tmp`;
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  const server = spec.onRuntimeApiConnection ? await listen(spec.onRuntimeApiConnection) : undefined;
  const paths = layoutPaths(spec, tmp);
  const inside: Inside = {
    path: (path) => translate(paths, path),
    addressOf: (port) => `127.0.0.1:${port}`,
    runtimeApi: server ? `127.0.0.1:${portOf(server)}` : undefined,
  };
  const environment = typeof spec.environment === "function" ? spec.environment(inside) : spec.environment;
  const command = spec.command.map((word) => (isAbsolute(word) ? inside.path(word) : word));
  const child = spawn(
    "/bin/sh",
    ["-c", `ulimit -n ${FILE_DESCRIPTORS_MAX} 2>/dev/null; exec "$@"`, "sh", ...command],
    {
      cwd: inside.path(spec.workingDirectory),
      env: { TMPDIR: tmp, ...environment },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exited = exitOf(child);
  await started(child, spec).catch(async (error: unknown) => {
    server?.close();
    await rm(home, { recursive: true, force: true });
    throw error;
  });
  // Not waited for: Node throws away the output of a child that ends before anyone listens. Unrecorded it may not run.
  const remembered = remember(home, child.pid ?? 0).catch(() => signalGroup(child, "SIGKILL"));
  const clean = async () => {
    await exited;
    await remembered;
    signalGroup(child, "SIGKILL");
    server?.close();
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
    gone();
  };
  const cleaned = clean();
  return control(spec, child, inside, exited, cleaned);
}

function control(
  spec: SandboxSpec,
  child: Child,
  inside: Inside,
  exited: Promise<SandboxExit>,
  cleaned: Promise<void>,
): Sandbox {
  let peakBytes = 0;
  return {
    id: spec.id,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    inside,
    address: "127.0.0.1",
    addressOf: (port) => inside.addressOf(port),
    limitCpu: () => Promise.resolve(),
    freeze: () => Promise.resolve(signalGroup(child, "SIGSTOP")),
    thaw: () => Promise.resolve(signalGroup(child, "SIGCONT")),
    async stop(graceMs) {
      if (child.exitCode === null && child.signalCode === null) {
        signalGroup(child, "SIGCONT");
        if (graceMs > 0) {
          child.kill("SIGTERM");
          await Promise.race([exited, sleep(graceMs, undefined, { ref: false })]);
        }
        signalGroup(child, "SIGKILL");
      }
      await cleaned;
    },
    async peakMemoryBytes() {
      peakBytes = Math.max(peakBytes, await highWaterMark(child.pid));
      return peakBytes;
    },
  };
}

async function listen(onConnection: NonNullable<SandboxSpec["onRuntimeApiConnection"]>): Promise<Server> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new SandboxError("the Runtime API's listener has no port");
  return address.port;
}

function started(child: Child, spec: SandboxSpec): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) =>
      reject(new SandboxError(`cannot start sandbox ${spec.id}: ${error.message}`, { cause: error })),
    );
  });
}

function exitOf(child: Child): Promise<SandboxExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) =>
      resolve({ code: code ?? undefined, signal: signal ?? undefined, outOfMemory: false }),
    );
  });
}

/** Signals every process of the group; a group that is gone is no error. */
function signalGroup(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code !== "ESRCH" &&
      (error as NodeJS.ErrnoException).code !== "EPERM"
    )
      throw error;
  }
}

/** The first process's largest resident set, in bytes; 0 where /proc does not tell. */
async function highWaterMark(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
