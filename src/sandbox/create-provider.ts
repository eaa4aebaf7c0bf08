/** Chooses what isolates functions on this machine, and refuses what was asked for by name and cannot be had. */
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import { inspectMachine } from "./machine.ts";
import type { MachineReport } from "./machine.ts";
import { startRuncProvider } from "./oci/start-provider.ts";
import { createProcessProvider } from "./process/provider.ts";
import type { SandboxProvider } from "./sandbox.ts";
import { SandboxError } from "./sandbox.ts";

export interface SandboxOptions {
  /** `auto` takes the strongest that runs here; `runc` fails where it cannot; `process` isolates nothing. */
  readonly kind: "auto" | "runc" | "process";
  /** A folder that belongs to this server alone; what a killed predecessor left in it is cleaned up. */
  readonly stateDir: string;
  /** The server's own TCP listeners, on 127.0.0.1, that functions may reach. */
  readonly serverPorts: readonly number[];
  /** What functions reach beyond them. */
  readonly outbound: "internet" | "none";
  readonly log: Log;
  readonly ids: Ids;
}

/** @throws SandboxError when `kind` names something that this machine cannot give. */
export async function createSandboxProvider(options: SandboxOptions): Promise<SandboxProvider> {
  if (options.kind === "process") return createProcessProvider({ stateDir: options.stateDir, reasons: [] });
  const machine = await inspectMachine();
  if (machine.provider !== "process") return startRuncProvider({ ...options, machine });
  if (options.kind === "runc") throw new SandboxError(`runc cannot run here. ${reasons(machine).join(" ")}`);
  return createProcessProvider({ stateDir: options.stateDir, reasons: reasons(machine) });
}

function reasons(machine: MachineReport): string[] {
  return machine.findings.flatMap(({ name, detail, remedy }) =>
    remedy === undefined ? [] : [`${name}: ${detail}. ${remedy}`],
  );
}
