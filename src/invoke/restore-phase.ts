/** The restore phase: a saved sandbox goes on, its after-restore hooks run, and the runtime asks for work. */
import { restoreMs } from "./limits.ts";
import type { LogStream } from "./log-stream.ts";
import type { RuntimeDomain } from "./runtime-domain.ts";
import { runtimeVersionArn, runtimeVersionName } from "./runtime-version.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import { SnapStartFailed, SnapStartTimedOut } from "./snap-start-errors.ts";
import type { FunctionVersion } from "./types.ts";
import { isGood, judge } from "./verdict.ts";

export interface Restored {
  readonly durationMs: number;
  /** The part of it that AWS would bill: what the function's own hooks took. */
  readonly hooksMs: number;
}

export interface RestorePhase {
  readonly domain: RuntimeDomain;
  readonly stream: LogStream;
  readonly version: FunctionVersion;
  readonly runtime: Runtime;
  /** There is a sandbox, and its programs go on. */
  begun(): void;
}

/**
 * Runs it, and tells the log how it went.
 * @throws SnapStartTimedOut, SnapStartFailed; SandboxError when no sandbox could be made of what was saved.
 */
export async function runRestorePhase(restore: RestorePhase): Promise<Restored> {
  const { domain, stream, version, runtime } = restore;
  const startedAt = performance.now();
  stream.platform({
    type: "restoreStart",
    runtimeVersion: runtimeVersionName(runtime),
    runtimeVersionArn: runtimeVersionArn(runtime, version.region),
  });
  let loadedAt = startedAt;
  let timer: NodeJS.Timeout | undefined;
  await domain.boot(() => {
    restore.begun();
    loadedAt = performance.now();
    // What the machine takes to load it is not the function's.
    timer = setTimeout(() => domain.expire(), restoreMs);
  });
  const verdict = await domain.next();
  clearTimeout(timer);
  // What a failed process wrote before it ended is read in this turn of the loop.
  if (!isGood(verdict)) await new Promise(setImmediate);
  const durationMs = performance.now() - startedAt;
  const judged = isGood(verdict) ? undefined : judge(verdict, "", restoreMs);
  const ending = {
    status: judged?.status ?? "success",
    ...(judged?.errorType === undefined || judged.status === "timeout"
      ? {}
      : { errorType: judged.errorType }),
  } as const;
  stream.platform({ type: "restoreRuntimeDone", ...ending });
  stream.platform({ type: "restoreReport", durationMs, ...ending });
  if (verdict.kind === "timeout") throw new SnapStartTimedOut();
  if (judged) throw new SnapStartFailed();
  return { durationMs, hooksMs: performance.now() - loadedAt };
}
