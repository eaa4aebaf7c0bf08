/** Chooses what isolates functions on this machine, and refuses what was asked for by name and cannot be had. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Destination, OutboundPolicy } from "../config/outbound.ts";
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import { inspectMachine, lackingFor } from "./machine.ts";
import type { MachineReport } from "./machine.ts";
import type { OciRuntimeName } from "./oci/oci-runtime.ts";
import { startOciProvider } from "./oci/start-provider.ts";
import { createProcessProvider } from "./process/provider.ts";
import type { SandboxProvider } from "./sandbox.ts";
import { SandboxError } from "./sandbox.ts";

export interface SandboxOptions {
  /** `auto` takes runc, or plain processes where that cannot run; an OCI runtime by name fails where it cannot; `process` isolates nothing. */
  readonly kind: "auto" | "runc" | "crun" | "runsc" | "process";
  /** A folder that belongs to this server alone; what a killed predecessor left in it is cleaned up. */
  readonly stateDir: string;
  /** The server's own TCP listeners, on 127.0.0.1, that functions may reach. */
  readonly serverPorts: readonly number[];
  /** What functions reach beyond them. */
  readonly outbound: OutboundPolicy;
  /** Reached in addition to what the policy gives. */
  readonly outboundAllow?: readonly Destination[];
  /** Name servers that functions ask; the host's when absent or empty. */
  readonly resolvers?: readonly string[];
  readonly log: Log;
  readonly ids: Ids;
}

/** @throws SandboxError when `kind` names something that this machine cannot give. */
export async function createSandboxProvider(options: SandboxOptions): Promise<SandboxProvider> {
  const { kind } = options;
  if (kind === "process") return createProcessProvider({ stateDir: options.stateDir, reasons: [] });
  const machine = await inspectMachine();
  if (kind === "crun" || kind === "runsc") return createNamed(kind, options, machine);
  if (machine.provider === "process") return fallBack(options, reasons(machine));
  const provider = await startProvider("runc", options, machine);
  const failure = (await mayDisappoint(machine)) ? await trial(provider, options.stateDir) : undefined;
  if (failure === undefined) return provider;
  await provider.close();
  return fallBack(options, [`A trial sandbox failed: ${failure}.`]);
}

/** One that is not taken unasked is tried before the server says that it is ready: many versions of it are about. */
async function createNamed(
  kind: "crun" | "runsc",
  options: SandboxOptions,
  machine: MachineReport,
): Promise<SandboxProvider> {
  const lacking = lackingFor(kind, machine);
  if (lacking.length > 0) throw new SandboxError(`${kind} cannot run here. ${lacking.join(" ")}`);
  const provider = await startProvider(kind, options, machine);
  const failure = await trial(provider, options.stateDir);
  if (failure === undefined) return provider;
  await provider.close();
  throw new SandboxError(`${kind} cannot run here. A trial sandbox failed: ${failure}.`);
}

function startProvider(
  runtime: OciRuntimeName,
  options: SandboxOptions,
  machine: MachineReport,
): Promise<SandboxProvider> {
  return startOciProvider({
    ...options,
    runtime,
    outbound: { policy: options.outbound, allow: options.outboundAllow ?? [] },
    resolvers: options.resolvers ?? [],
    machine,
  });
}

function fallBack(options: SandboxOptions, why: string[]): Promise<SandboxProvider> {
  if (options.kind === "runc") throw new SandboxError(`runc cannot run here. ${why.join(" ")}`);
  return createProcessProvider({ stateDir: options.stateDir, reasons: why });
}

/** Inside a user namespace (rootless, or root of some container) the kernel may refuse what its settings promise. */
async function mayDisappoint(machine: MachineReport): Promise<boolean> {
  if (machine.provider === "runc-rootless") return true;
  const [inside, outside, count] = (await readFile("/proc/self/uid_map", "utf8")).trim().split(/\s+/);
  return inside !== "0" || outside !== "0" || count !== "4294967295";
}

/** Makes a sandbox and runs a program in it that does nothing. @returns why it failed. */
async function trial(provider: SandboxProvider, stateDir: string): Promise<string | undefined> {
  try {
    const sandbox = await provider.create({
      id: "trial",
      codeDir: join(stateDir, "runc"),
      languageMounts: [],
      memoryMb: 128,
      ephemeralStorageMb: 512,
    });
    const program = { command: ["/bin/true"], workingDirectory: "/tmp", environment: {} };
    const { code, signal } = await sandbox
      .start(program)
      .then((started) => started.exited)
      .finally(() => sandbox.stop(0));
    return code === 0 ? undefined : `it ended with ${code ?? signal}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function reasons(machine: MachineReport): string[] {
  return machine.findings.flatMap(({ name, detail, remedy }) =>
    remedy === undefined ? [] : [`${name}: ${detail}. ${remedy}`],
  );
}
