/** `import { start } from "lambent"`: Lambent in a test or a program of yours. */
export { start } from "./server/start.ts";
export type { Running } from "./server/start.ts";
export type { Config, ConfigInput } from "./config/index.ts";
