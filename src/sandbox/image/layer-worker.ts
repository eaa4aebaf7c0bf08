/** A thread that unpacks layers, one after the other: hundreds of thousands of small writes would stop the server's own. */
import { parentPort } from "node:worker_threads";
import { ImageError } from "./image-error.ts";
import type { ImageProblem } from "./image-error.ts";
import { unpackLayer } from "./layer-job.ts";
import type { LayerJob, UnpackedLayer } from "./layer-job.ts";

/** What it answers to a {@link LayerJob}. */
export type LayerAnswer =
  | { readonly layer: UnpackedLayer }
  | { readonly problem: ImageProblem | undefined; readonly message: string };

parentPort?.on("message", (job: LayerJob) => {
  unpackLayer(job).then(
    (layer) => answer({ layer }),
    (error: Error) => {
      const problem = error instanceof ImageError ? error.problem : undefined;
      answer({ problem, message: error.message });
    },
  );
});

function answer(words: LayerAnswer): void {
  parentPort?.postMessage(words, []);
}
