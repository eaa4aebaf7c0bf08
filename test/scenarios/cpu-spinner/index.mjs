/** Spins in as many threads as it is told to. */
import { Worker } from "node:worker_threads";
import { spin } from "./spin.mjs";

export const handler = async ({ until, threads }) => {
  if (threads === 1) return spin(until);
  const counts = Array.from({ length: threads }, () => {
    const count = new Float64Array(new SharedArrayBuffer(8));
    const worker = new Worker(new URL("thread.mjs", import.meta.url), { workerData: { until, count } });
    return new Promise((resolve, reject) =>
      worker.once("exit", () => resolve(count[0])).once("error", reject),
    );
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
};
