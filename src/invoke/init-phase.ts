/** The init phase: the runtime and its extensions start, the function's static code runs, and all of them ask for work. */
import type { LogStream } from "./log-stream.ts";
import type { RuntimeDomain } from "./runtime-domain.ts";
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
  /** The function's timeout, which an error document may name, in milliseconds. */
  readonly timeoutMs: number;
  /** A failed init phase runs again inside the next invocation, under that one's own timeout. */
  readonly phase: "init" | "invoke";
  /** The phase's own limit, in milliseconds; absent inside an invocation. */
  readonly limitMs?: number;
  /** There is a sandbox, and its programs start. */
  begun?(): void;
}

/**
 * Runs it, and tells the log and all subscribers how it went.
 * @throws SandboxError when no sandbox could be made.
 */
export async function runInitPhase(init: InitPhase): Promise<InitResult> {
  const { domain, stream, phase } = init;
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  await domain.boot(() => {
    init.begun?.();
    if (init.limitMs !== undefined) timer = setTimeout(() => domain.expire(), init.limitMs);
  });
  const runtime = await domain.next();
  tellRuntime(init, runtime);
  const last =
    runtime.kind === "next" && domain.extensions.size > 0 ? await domain.extensionsReady() : runtime;
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

function tellRuntime(init: InitPhase, verdict: Verdict): void {
  init.stream.platform({ type: "initRuntimeDone", phase: init.phase, ...endingOf(init, verdict) });
}

function endingOf({ timeoutMs }: InitPhase, verdict: Verdict) {
  if (isGood(verdict)) return { status: "success" } as const;
  const { status, errorType } = judge(verdict, "", timeoutMs);
  return { status, ...(errorType === undefined || status === "timeout" ? {} : { errorType }) };
}
