/** The public names of the sandbox layer. */
export { Demand } from "./demand.ts";
export { createSandboxProvider } from "./create-provider.ts";
export type { SandboxOptions } from "./create-provider.ts";
export { inspectMachine, lackingFor, tryGvisor } from "./machine.ts";
export type { MachineFinding, MachineReport } from "./machine.ts";
export { SandboxEnded, SandboxError } from "./sandbox.ts";
export type {
  Capabilities,
  Inside,
  Isolation,
  Program,
  RunningProgram,
  Sandbox,
  SandboxExit,
  SandboxLimits,
  SandboxProvider,
  SandboxSpec,
} from "./sandbox.ts";
