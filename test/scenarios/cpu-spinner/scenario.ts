import assert from "node:assert/strict";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

/** How long both count, in milliseconds. */
const WINDOW_MS = 1_500;

const files = filesBeside(import.meta.url);

export const scenario: Scenario = {
  title: "a function that spins in eight threads leaves its neighbour of the same memory the same share",
  functions: {
    spinner: { files, memoryMb: 884 },
    neighbour: { files, memoryMb: 884 },
  },
  alone: true,
  async run(stage) {
    const warm = { until: 0, threads: 1 };
    await Promise.all([stage.invoke("spinner", warm), stage.invoke("neighbour", warm)]);
    const until = Date.now() + WINDOW_MS;
    const [spinner, neighbour] = await Promise.all([
      stage.invoke("spinner", { until, threads: 8 }),
      stage.invoke("neighbour", { until, threads: 1 }),
    ]);
    // Work done in the same window: whatever else the machine does, it does to both.
    assert.ok(neighbour.json > 0.5 * spinner.json, `${neighbour.json} beside ${spinner.json}`);
  },
};
