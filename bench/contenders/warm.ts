/** The contenders of the warm axes, all running at once: who waits for its turn costs nothing. */
import { processesBelow } from "../machine/cpu-group.ts";
import { startGenerator } from "../load/generator.ts";
import type { Generator } from "../load/generator.ts";
import type { LoadJob, LoadResult } from "../load/closed-loop.ts";
import type { BenchOptions } from "../options.ts";
import { startLambent } from "./lambent.ts";
import type { LambentServer } from "./lambent.ts";
import { startLambdaLocal, startServerlessOffline, startWorkerd } from "./peers.ts";
import type { ContenderServer } from "./server.ts";
import { settled } from "./settled.ts";

const WARM_UP_TURNS_MAX = 6;
const SETTLE_MS_MAX = 15_000;

export interface WarmContenders extends AsyncDisposable {
  readonly lambent: LambentServer;
  /** Lambent first. */
  readonly all: readonly ContenderServer[];
  readonly generator: Generator;
}

/** Callers at once; each takes an environment of its own, which a quick run saves. */
export function callersOf({ quick }: Pick<BenchOptions, "quick">): number {
  return quick ? 4 : 32;
}

/** Starts Lambent and its peers, each warmed up under load. */
export async function startWarmContenders(options: BenchOptions): Promise<WarmContenders> {
  await using parts = new AsyncDisposableStack();
  const owned = <T extends ContenderServer>(server: T): T => {
    parts.defer(() => server.stop());
    return server;
  };
  const lambent = owned(await startLambent({ sandbox: options.sandbox }));
  const all: ContenderServer[] = [lambent];
  if (options.peers) {
    all.push(owned(await startServerlessOffline()));
    all.push(owned(await startServerlessOffline({ inProcess: true })));
    all.push(owned(await startWorkerd()));
    all.push(owned(await startLambdaLocal()));
  }
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const warm = { connections: callersOf(options), durationMs: options.quick ? 200 : 2_000 };
  await warmUp(lambent, generator, warm, options);
  for (const { target } of all) await generator.run({ target, ...warm });
  const everything = parts.move();
  return { lambent, all, generator, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}

/** Loads a server and answers, beside what the client saw, the CPU that one request cost all of its processes. */
export async function loadAndCount(
  server: ContenderServer,
  generator: Generator,
  job: Omit<LoadJob, "target">,
): Promise<LoadResult & { cpuUs: number }> {
  const before = server.usedUs();
  const result = await generator.run({ target: server.target, ...job });
  return { ...result, cpuUs: (server.usedUs() - before) / result.requests };
}

/** Loads until no more execution environments are started for it: boots are another axis. */
export async function warmUp(
  server: LambentServer,
  generator: Generator,
  job: Omit<LoadJob, "target">,
  options: Pick<BenchOptions, "quick">,
): Promise<void> {
  for (let before = -1, turn = 0; turn < WARM_UP_TURNS_MAX; turn += 1) {
    await generator.run({ target: server.target, ...job });
    // Environments that are booted ahead come after the load that asked for them.
    await settled(server, SETTLE_MS_MAX, options);
    const now = processesBelow(server.sandboxGroup).length;
    if (now === before || options.quick) return;
    before = now;
  }
}
