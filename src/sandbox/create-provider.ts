/** Chooses what isolates functions on this machine, and refuses what was asked for by name and cannot be had. */
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import { startRuncProvider } from "./oci/start-provider.ts";
import { createProcessProvider } from "./process/provider.ts";
import type { SandboxProvider } from "./sandbox.ts";
import { SandboxError } from "./sandbox.ts";

export interface SandboxOptions {
  /** `auto` takes the strongest that runs here; `runc` fails where it cannot; `process` isolates nothing. */
  readonly kind: "auto" | "runc" | "process";
  /** A folder that belongs to this server alone; what a killed predecessor left in it is cleaned up. */
  readonly stateDir: string;
  /** The server's own TCP listeners that functions may reach. */
  readonly serverPorts: readonly number[];
  /** What functions reach beyond them. */
  readonly outbound: "internet" | "none";
  readonly log: Log;
  readonly ids: Ids;
}

/** @throws SandboxError when `kind` names something that this machine cannot give. */
export async function createSandboxProvider(options: SandboxOptions): Promise<SandboxProvider> {
  if (options.kind === "process") return createProcessProvider({ stateDir: options.stateDir, reasons: [] });
  try {
    return await startRuncProvider({ ...options, runc: "runc" });
  } catch (error) {
    if (options.kind === "runc" || !(error instanceof SandboxError)) throw error;
    return createProcessProvider({ stateDir: options.stateDir, reasons: [error.message] });
  }
}
