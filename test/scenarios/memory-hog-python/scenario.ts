import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";
import { assertOutOfMemory } from "../out-of-memory.ts";

export const scenario: Scenario = {
  title: "a Python function that takes more memory than it has is Runtime.OutOfMemory",
  functions: {
    hog: { files: filesBeside(import.meta.url), language: "python", memoryMb: 128, timeoutSeconds: 60 },
  },
  run: async (stage) => assertOutOfMemory(await stage.invoke("hog"), 128),
};
