/** A server in a process of its own that tells its parent what it holds in memory once its garbage is collected. */
import { start } from "../../src/index.ts";
import type { ConfigInput } from "../../src/index.ts";

export interface Ready {
  readonly endpoint: string;
  readonly isolation: { readonly provider: string; readonly missing: readonly string[] };
}

/** Bytes in use after a garbage collection. */
export interface Memory {
  readonly heap: number;
  readonly outside: number;
}

const tell = process.send?.bind(process);
const collect = globalThis.gc;
if (tell === undefined || collect === undefined)
  throw new Error("measured-server.ts is started by fork, with --expose-gc");

const running = await start(JSON.parse(process.argv[2] ?? "{}") as ConfigInput);

process.on("message", (message) => {
  if (message === "measure") void measure(collect).then(tell);
  if (message === "stop") void running.stop().then(() => process.disconnect?.());
});
process.once("disconnect", () => void running.stop());
tell({ endpoint: running.endpoint, isolation: running.isolation } satisfies Ready);

/** Finalizers run between two collections, and what they release is collected by the next. */
async function measure(collectGarbage: () => void): Promise<Memory> {
  for (let times = 0; times < 3; times++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, outside: external };
}
