/** Containers made before anybody wants them, so that a cold start costs what the language's runtime costs and little more. */
import { setTimeout as sleep } from "node:timers/promises";
import { availableMemoryBytes } from "../available-memory.ts";
import { Demand } from "../demand.ts";
import { makeContainer } from "./container.ts";
import type { Container, ContainerDeps, ContainerSpec } from "./container.ts";
import type { MountCalls } from "./mount-calls.ts";

/** Kept ready once a first one was wanted, and at most. */
const READY_MIN = 2;
const READY_MAX = 16;
/** No more are made while the machine has less memory than this to give, in bytes. */
const FREE_BYTES_MIN = 512 * 1024 * 1024;
/** The next one is made when none was taken for this long, in milliseconds: cold starts go first. */
const QUIET_MS = 200;

/** What a container is before it is known what for: AWS's smallest memory and the /tmp that nearly all functions have. */
export const preparedSpec = { memoryMb: 128, ephemeralStorageMb: 512, binds: undefined } as const;

export class ContainerStock {
  readonly mounts: MountCalls;
  readonly #deps: ContainerDeps;
  readonly #ready: Container[] = [];
  readonly #demand = new Demand(READY_MIN, READY_MAX);
  #made = 0;
  #takenAt = 0;
  #filling: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(deps: ContainerDeps & { readonly mounts?: MountCalls | undefined }) {
    if (deps.mounts === undefined) throw new Error("containers that wait need late mounts");
    this.mounts = deps.mounts;
    this.#deps = deps;
  }

  /** One that waits, or one made now. @throws SandboxError when it cannot be made. */
  async take(): Promise<Container> {
    this.#takenAt = performance.now();
    this.#demand.note(this.#takenAt);
    for (let container = this.#ready.shift(); container; container = this.#ready.shift()) {
      if (container.hasEnded()) continue;
      this.#fill();
      return container;
    }
    const container = await this.#make();
    this.#takenAt = performance.now();
    this.#fill();
    return container;
  }

  /** Ends those that wait and the one that is being made. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map((container) => container.kill()));
  }

  #fill(): void {
    this.#filling ??= this.#fillUp().finally(() => (this.#filling = undefined));
  }

  async #fillUp(): Promise<void> {
    const { signal } = this.#closing;
    try {
      while (!signal.aborted && this.#ready.length < this.#demand.target(performance.now())) {
        const rest = this.#takenAt + QUIET_MS - performance.now();
        if (rest > 0) await sleep(rest, undefined, { signal, ref: false }).catch(() => {});
        else if ((await availableMemoryBytes()) < FREE_BYTES_MIN) return;
        else this.#ready.push(await this.#make());
      }
    } catch (error) {
      // The next sandbox tries, and tells its caller.
      this.#deps.log.warn("cannot prepare a sandbox ahead of use", { error });
    }
  }

  #make(): Promise<Container> {
    const spec: ContainerSpec = { id: `w-${++this.#made}`, ...preparedSpec };
    return makeContainer(this.#deps, spec);
  }
}
