/** What an execution environment is made of. */
import type { ExternalExtension } from "./extensions/external-extensions.ts";
import type { LambdaMetrics } from "./metrics.ts";
import type { DomainDeps } from "./runtime-domain.ts";
import type { ProcessSpec } from "./runtime-process.ts";
import type { InvokePorts } from "./types.ts";

export interface EnvironmentDeps extends DomainDeps {
  readonly ports: InvokePorts;
  readonly metrics: LambdaMetrics;
}

export interface EnvironmentSpec extends Pick<
  ProcessSpec,
  "version" | "runtime" | "entrypoint" | "launch" | "credentials" | "initializationType" | "snapshot"
> {
  /** The extensions that run as programs of their own. */
  readonly extensions: readonly ExternalExtension[];
  /** Called once, when nothing of it has the code mounted any more. */
  readonly releaseCode?: () => void;
}
