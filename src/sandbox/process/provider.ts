/** The announced fallback: programs of a function are plain child processes of this user, in process groups of their own. Nothing isolates it. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Registry } from "../registry.ts";
import { SandboxError } from "../sandbox.ts";
import type { Isolation, SandboxProvider } from "../sandbox.ts";
import { makeProcessSandbox } from "./process-sandbox.ts";
import { endRemembered } from "./remains.ts";

export interface ProcessProviderDeps {
  readonly stateDir: string;
  /** Why nothing better runs here, one sentence each. */
  readonly reasons: readonly string[];
}

/** Builds the provider that isolates nothing and says so. */
export async function createProcessProvider(deps: ProcessProviderDeps): Promise<SandboxProvider> {
  const root = join(deps.stateDir, "process");
  await endRemembered(root);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true, mode: 0o700 });
  const registry = new Registry();
  return {
    isolation: processIsolation(deps.reasons),
    capabilities: { lateMounts: false, checkpoints: undefined },
    create: (spec) => registry.boot(spec, (gone) => makeProcessSandbox(spec, join(root, spec.id), gone)),
    restore: () => Promise.reject(new SandboxError("plain processes cannot be restored")),
    async close() {
      await registry.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function processIsolation(reasons: readonly string[]): Isolation {
  return {
    provider: "process",
    namespaces: false,
    seccomp: false,
    memoryLimit: false,
    cpuLimit: false,
    pidsLimit: false,
    tmpLimit: false,
    network: "host",
    missing: [
      "Functions are NOT isolated: each is a plain process of this user and reads and writes whatever this user can. Run only code that you trust.",
      "Memory, CPU, process count and /tmp of a function are not limited; it may take all that the machine has.",
      "/var/task, /opt and /var/runtime do not exist; LAMBDA_TASK_ROOT and its siblings name the real folders instead.",
      ...reasons,
    ],
  };
}
