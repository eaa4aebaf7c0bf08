/** An invocation of a custom runtime whose package has no program that can be run: nothing boots, the log and the caller are told. */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { NoEntrypoint } from "./boot.ts";
import { LogStream, streamName } from "./log-stream.ts";
import { failure } from "./payloads.ts";
import { runtimeVersionOf } from "./runtime-version.ts";
import type { FunctionVersion, Invocation, InvokePorts, Outcome } from "./types.ts";

export interface NoEntrypointDeps {
  readonly ports: InvokePorts;
  readonly clock: Clock;
  readonly ids: Ids;
}

export async function runNowhere(
  deps: NoEntrypointDeps,
  version: FunctionVersion,
  invocation: Invocation,
  { runtime, errorType, reason }: NoEntrypoint,
): Promise<Outcome> {
  const { requestId } = invocation;
  const { payload } = failure(errorType, `RequestId: ${requestId} Error: ${reason}`);
  const name = streamName(version, deps.clock.now(), deps.ids.hex(32));
  const stream = new LogStream({
    ...deps,
    version,
    name,
    initializationType: "on-demand",
    memoryMb: () => Promise.resolve(0),
  });
  const ending = { status: "error", errorType, durationMs: 0 } as const;
  if (invocation.wantLogTail) stream.beginTail();
  stream.platform({
    type: "initStart",
    phase: "init",
    ...runtimeVersionOf(runtime, version.region),
  });
  stream.platform({ type: "initReport", phase: "init", ...ending });
  stream.platform({ type: "start", requestId, version: version.version });
  stream.platform({
    type: "runtimeDone",
    requestId,
    ...ending,
    startedAt: deps.clock.now(),
    producedBytes: payload.length,
  });
  stream.platform({ type: "end", requestId });
  stream.report({ type: "report", requestId, ...ending, memorySizeMb: version.memoryMb });
  const logTail = invocation.wantLogTail ? await stream.takeTail() : undefined;
  await stream.flush();
  return {
    payload,
    functionError: "Unhandled",
    ...(logTail ? { logTail } : {}),
    durationMs: 0,
    maxMemoryUsedMb: 0,
  };
}
