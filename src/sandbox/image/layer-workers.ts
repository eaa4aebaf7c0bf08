/** The threads that unpack layers: a few, made when they are wanted and ended when nothing is left to do. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ImageError } from "./image-error.ts";
import { unpackLayer } from "./layer-job.ts";
import type { LayerJob, UnpackedLayer } from "./layer-job.ts";
import type { LayerAnswer } from "./layer-worker.ts";

/** Layers that are fetched and unpacked at once. */
const WORKERS_MAX = Math.min(8, Math.max(4, availableParallelism()));
/** A layer of at most so many bytes, packed, is unpacked sooner here than a thread is made; each turn at it takes little. */
const HERE_BYTES_MAX = 256 * 1024;
/** One that has unpacked nothing for this long is ended, in milliseconds. */
const IDLE_MS = 2_000;
/** The same file in the tree and in the package. */
const FILE = new URL(`layer-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

export class LayerWorkers {
  readonly #idle: { readonly worker: Worker; readonly timer: NodeJS.Timeout }[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  /** Fetches and unpacks one layer, in its turn. @throws ImageError; Error where a file could not be written. */
  async unpack(job: LayerJob): Promise<UnpackedLayer> {
    if (job.layer.size <= HERE_BYTES_MAX) return unpackLayer(job);
    const worker = await this.#take();
    try {
      const answer = await ask(worker, job);
      this.#give(worker);
      if ("layer" in answer) return answer.layer;
      throw answer.problem === undefined
        ? new Error(answer.message)
        : new ImageError(answer.problem, answer.message);
    } finally {
      this.#waiting.shift()?.();
    }
  }

  /** Ends all of them, whatever they do. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#idle.splice(0)) clearTimeout(timer);
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  async #take(): Promise<Worker> {
    for (;;) {
      if (this.#isClosed) throw new Error("the server stops");
      const free = this.#idle.pop();
      if (free) {
        clearTimeout(free.timer);
        free.worker.ref();
        return free.worker;
      }
      if (this.#all.size < WORKERS_MAX) return this.#make();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #make(): Worker {
    const worker = new Worker(FILE, { name: "layers" });
    this.#all.add(worker);
    worker.once("exit", () => this.#all.delete(worker));
    return worker;
  }

  #give(worker: Worker): void {
    if (this.#isClosed) return;
    worker.unref();
    const timer = setTimeout(() => {
      this.#idle.splice(
        this.#idle.findIndex((one) => one.worker === worker),
        1,
      );
      void worker.terminate();
    }, IDLE_MS);
    timer.unref();
    this.#idle.push({ worker, timer });
  }
}

/** A thread that ends before it has answered was out of memory, or told to. */
function ask(worker: Worker, job: LayerJob): Promise<LayerAnswer> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error("the thread that unpacked a layer has ended"));
    const failed = (error: Error) => {
      worker.off("exit", ended);
      reject(error);
    };
    worker.once("exit", ended);
    worker.once("error", failed);
    worker.once("message", (answer: LayerAnswer) => {
      worker.off("exit", ended);
      worker.off("error", failed);
      resolve(answer);
    });
    worker.postMessage(job, []);
  });
}
