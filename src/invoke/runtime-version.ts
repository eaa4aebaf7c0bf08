/** How a runtime's version is written on the INIT_START line. */
import { createHash } from "node:crypto";
import type { Runtime } from "./runtimes/runtime.ts";

/** What events tell of a runtime; of images nothing, whose runtime is their own affair. */
export function runtimeVersionOf(
  runtime: Runtime,
  region: string,
): { runtimeVersion?: string; runtimeVersionArn?: string } {
  if (runtime.kind === "image") return {};
  return {
    runtimeVersion: runtimeVersionName(runtime),
    runtimeVersionArn: runtimeVersionArn(runtime, region),
  };
}

/** `nodejs:22.23.3`: the real version, where AWS writes its own numbering. */
export function runtimeVersionName(runtime: Runtime): string {
  if (runtime.kind === "provided") return runtime.identifier.replace(".", ":");
  return `${runtime.kind}:${runtime.version}`;
}

/** An ARN of AWS's shape that is the same for the same version. */
export function runtimeVersionArn(runtime: Runtime, region: string): string {
  const hash = createHash("sha256").update(`${runtime.identifier} ${runtime.version}`).digest("hex");
  return `arn:aws:lambda:${region}::runtime:${hash}`;
}
