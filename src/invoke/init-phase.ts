/** The init phase: the runtime and its extensions start, the function's static code runs, and all of them ask for work. */
import { initMs, provisionedInitMs } from "./limits.ts";
import type { LogStream } from "./log-stream.ts";
import type { RuntimeDomain } from "./runtime-domain.ts";
import { runtimeVersionOf } from "./runtime-version.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { FunctionVersion } from "./types.ts";
import { isGood, judge } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** How an init phase ended. */
export interface InitResult {
  readonly durationMs: number;
  readonly failure?: Verdict;
}

export interface InitPhase {
  readonly domain: RuntimeDomain;
  readonly stream: LogStream;
  readonly version: FunctionVersion;
  readonly runtime: Runtime;
  /** A failed init phase runs again inside the next invocation, under that one's own timeout. */
  readonly phase: "init" | "invoke";
  /** Whether it is made ahead, for provisioned concurrency. */
  readonly isProvisioned: boolean;
  /** There is a sandbox, and its programs start. */
  begun?(): void;
}

/**
 * Runs it, and tells the log and all subscribers how it went.
 * @throws SandboxError when no sandbox could be made.
 */
export async function runInitPhase(init: InitPhase): Promise<InitResult> {
  const { domain, stream, phase, version, runtime } = init;
  const startedAt = performance.now();
  stream.telemetry.open();
  stream.platform({
    type: "initStart",
    phase,
    ...runtimeVersionOf(runtime, version.region),
  });
  let timer: NodeJS.Timeout | undefined;
  await domain.boot(() => {
    init.begun?.();
    if (phase === "init") timer = setTimeout(() => domain.expire(), limitMsOf(init));
  });
  const first = await domain.next();
  stream.platform({ type: "initRuntimeDone", phase, ...endingOf(init, first) });
  const last = first.kind === "next" && domain.extensions.size > 0 ? await domain.extensionsReady() : first;
  clearTimeout(timer);
  // What a failed process wrote before it ended is read in this turn of the loop.
  if (!isGood(last)) await new Promise(setImmediate);
  const durationMs = performance.now() - startedAt;
  for (const { name, state, events, errorType } of domain.extensions.list)
    stream.platform({
      type: "extension",
      name,
      state,
      events,
      ...(errorType === undefined ? {} : { errorType }),
    });
  stream.platform({ type: "initReport", phase, durationMs, ...endingOf(init, last) });
  stream.telemetry.closeSubscriptions();
  return isGood(last) ? { durationMs } : { durationMs, failure: last };
}

/** The phase's own limit, in milliseconds. */
function limitMsOf({ isProvisioned, version }: InitPhase): number {
  return isProvisioned ? Math.max(provisionedInitMs, version.timeoutMs) : initMs;
}

function endingOf({ version }: InitPhase, verdict: Verdict) {
  if (isGood(verdict)) return { status: "success" } as const;
  const { status, errorType } = judge(verdict, "", version.timeoutMs);
  return { status, ...(errorType === undefined || status === "timeout" ? {} : { errorType }) };
}
