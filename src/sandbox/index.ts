/** The public names of the sandbox layer. */
export { Demand } from "./demand.ts";
export { createSandboxProvider } from "./create-provider.ts";
export type { SandboxOptions } from "./create-provider.ts";
export { ImageError } from "./image/image-error.ts";
export type { ImageProblem } from "./image/image-error.ts";
export { ImageStore } from "./image/image-store.ts";
export { findInside } from "./image/inner-path.ts";
export type { Architecture, ImageDefaults } from "./image/manifest.ts";
export { parseReference, pinnedName } from "./image/reference.ts";
export { isOfThisMachine } from "./image/registry-settings.ts";
export type { OwnRegistry } from "./image/registry-settings.ts";
export { inspectMachine, lackingFor, tryGvisor } from "./machine.ts";
export type { MachineFinding, MachineReport } from "./machine.ts";
export { SandboxEnded, SandboxError, StillConnected } from "./sandbox.ts";
export type {
  Capabilities,
  Inside,
  Isolation,
  Program,
  RestoredSandbox,
  RunningProgram,
  Sandbox,
  SandboxExit,
  SandboxLimits,
  SandboxProvider,
  SandboxSpec,
} from "./sandbox.ts";
