import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";
import { assertOutOfMemory } from "../out-of-memory.ts";

export const scenario: Scenario = {
  title: "a Node function that takes more memory than it has is Runtime.OutOfMemory",
  functions: { hog: { files: filesBeside(import.meta.url), memoryMb: 128, timeoutSeconds: 60 } },
  run: async (stage) => assertOutOfMemory(await stage.invoke("hog"), 128),
};
