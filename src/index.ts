/** `import { start } from "lambent"`: Lambent in a test or a program of yours. */
export { start } from "./server/start.ts";
export type { Running, StartInput } from "./server/start.ts";
export type { Config, ConfigInput } from "./config/index.ts";
export { MovableClock } from "./kit/movable-clock.ts";
export type { Clock } from "./kit/clock.ts";
