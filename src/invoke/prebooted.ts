/** Processes of runtimes that wait for a function: as many as cold starts lately wanted, made when nothing else is to be done. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ids } from "../kit/id.ts";
import { Demand } from "../sandbox/index.ts";
import { externalExtensionsOf } from "./extensions/external-extensions.ts";
import type { ExternalExtension } from "./extensions/external-extensions.ts";
import { whyFromNothing } from "./from-nothing.ts";
import {
  waitingAgeMs,
  waitingClassesMax,
  waitingExpectedMax,
  waitingQuietMs,
  waitingSweepMs,
} from "./limits.ts";
import type { MemoryReading } from "./memory-pressure.ts";
import { namesIn } from "./runtimes/module-name.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { FunctionVersion } from "./types.ts";
import { waitingPlaces } from "./waiting-places.ts";
import { WaitingRuntime } from "./waiting-runtime.ts";
import type { WaitingDeps } from "./waiting-runtime.ts";

export interface PrebootedDeps extends WaitingDeps {
  readonly ids: Ids;
  readonly memory: () => Promise<MemoryReading>;
  /** Processes that may wait at once, over all runtimes; 0 boots none ahead. */
  readonly most: number;
}

/** Processes that are started in the same way: of one runtime, and of one memory size where that is told to the process. */
interface WaitingClass {
  readonly runtime: Runtime;
  readonly memoryMb: number;
  readonly demand: Demand;
  /** The newest is last. */
  readonly ready: WaitingRuntime[];
}

export class Prebooted {
  readonly #deps: PrebootedDeps;
  /** The one that was wanted last is last. */
  readonly #classes = new Map<string, WaitingClass>();
  readonly #closing = new AbortController();
  #wantedAt = 0;
  #filling: Promise<void> | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(deps: PrebootedDeps) {
    this.#deps = deps;
  }

  /**
   * A function may be invoked. @param soon It was just made or changed: one process shall wait for it alone; else one for all such.
   */
  expect(runtime: Runtime, memoryMb: number, soon: boolean): void {
    if (this.#isOff(runtime)) return;
    this.#wantedAt = performance.now();
    const wanted = this.#classOf(runtime, memoryMb);
    if (wanted.demand.target(this.#wantedAt) < (soon ? waitingExpectedMax : 1))
      wanted.demand.note(this.#wantedAt);
    this.#fill();
  }

  /** A process that waits and can be one of this version's; undefined when none can, or none waits. */
  async take(version: FunctionVersion, runtime: Runtime): Promise<WaitingRuntime | undefined> {
    this.#wantedAt = performance.now();
    if (this.#isOff(runtime)) return undefined;
    const external = await externalExtensionsOf(version.optDir);
    if (this.#whyNot(version, runtime, external) !== undefined) return undefined;
    const wanted = this.#classOf(runtime, version.memoryMb);
    wanted.demand.note(this.#wantedAt);
    let taken = wanted.ready.pop();
    while (taken?.hasEnded) {
      void taken.stop();
      taken = wanted.ready.pop();
    }
    this.#fill();
    return taken;
  }

  /** Ends all that wait, for want of memory. False when none waits. */
  giveUp(): boolean {
    const waiting = [...this.#classes.values()].flatMap((each) => each.ready.splice(0));
    for (const each of waiting) void end(each);
    return waiting.length > 0;
  }

  /** How many wait. */
  get size(): number {
    return [...this.#classes.values()].reduce((sum, each) => sum + each.ready.length, 0);
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#sweeper);
    await this.#filling;
    await Promise.all([...this.#classes.values()].flatMap((each) => each.ready.splice(0)).map(end));
  }

  #isOff(runtime: Runtime): boolean {
    return (
      this.#deps.most === 0 ||
      this.#closing.signal.aborted ||
      !this.#deps.sandboxes.capabilities.lateMounts ||
      runtime.loadedAhead === undefined
    );
  }

  #whyNot(
    version: FunctionVersion,
    runtime: Runtime,
    external: readonly ExternalExtension[],
  ): string | undefined {
    const { capabilities } = this.#deps.sandboxes;
    const codeFiles = runtime.loadedAhead?.size === 0 ? [] : moduleFiles(version, runtime);
    const extensions = external.map(({ name }) => name);
    return whyFromNothing({ version, runtime, capabilities, codeFiles, extensions });
  }

  #classOf(runtime: Runtime, memoryMb: number): WaitingClass {
    const key = [runtime.identifier, runtime.version, ...runtime.command(memoryMb)].join(" ");
    const known = this.#classes.get(key) ?? {
      runtime,
      memoryMb,
      demand: new Demand(1, this.#deps.most),
      ready: [],
    };
    this.#classes.delete(key);
    this.#classes.set(key, known);
    for (const [oldest, { ready }] of this.#classes) {
      if (this.#classes.size <= waitingClassesMax) break;
      this.#classes.delete(oldest);
      for (const each of ready) void end(each);
    }
    return known;
  }

  #fill(): void {
    this.#sweeper ??= setInterval(() => void this.#sweep(), waitingSweepMs).unref();
    this.#filling ??= this.#fillUp().finally(() => (this.#filling = undefined));
  }

  /** One after the other, and only while no cold start wants the machine for itself. */
  async #fillUp(): Promise<void> {
    const { signal } = this.#closing;
    try {
      for (let next = this.#lacking(); next && !signal.aborted; next = this.#lacking()) {
        const rest = this.#wantedAt + waitingQuietMs - performance.now();
        if (rest > 0) await sleep(rest, undefined, { signal, ref: false }).catch(() => {});
        else if (this.size >= (await this.#places())) return;
        else
          next.ready.push(
            await WaitingRuntime.boot(this.#deps, this.#deps.ids.hex(16), next.runtime, next.memoryMb),
          );
      }
    } catch (error) {
      // The next cold start tries, from nothing, and tells its caller.
      this.#deps.log.warn("cannot boot a runtime ahead of use", { error });
    }
  }

  /** The class that was wanted last, of those that have fewer than they should. */
  #lacking(): WaitingClass | undefined {
    const now = performance.now();
    return [...this.#classes.values()]
      .reverse()
      .find(({ ready, demand }) => ready.length < demand.target(now));
  }

  /** How many may wait. */
  async #places(): Promise<number> {
    return Math.min(this.#deps.most, waitingPlaces(await this.#deps.memory(), this.size));
  }

  /** Replaces what is old or has ended, and ends what is too many: for the demand, and for the memory that is left. */
  async #sweep(): Promise<void> {
    const places = await this.#places();
    const now = performance.now();
    for (const { ready, demand } of this.#classes.values()) {
      const spare = ready.length - demand.target(now);
      for (const [at, each] of [...ready].entries()) {
        if (at >= spare && !each.hasEnded && now - each.bornAt < waitingAgeMs) continue;
        ready.splice(ready.indexOf(each), 1);
        void end(each);
      }
    }
    for (const { ready } of this.#classes.values())
      for (const each of ready.splice(0, Math.max(0, this.size - places))) void end(each);
    this.#fill();
  }
}

async function end(waiting: WaitingRuntime): Promise<void> {
  // What cannot be ended now is found by the sandbox provider when it closes.
  await waiting.stop().catch(() => {});
}

/** What a function's modules are called. */
function moduleFiles({ codeDir, optDir }: FunctionVersion, runtime: Runtime): string[] {
  return (runtime.moduleFolders?.(codeDir, optDir) ?? [codeDir]).flatMap(namesIn);
}
