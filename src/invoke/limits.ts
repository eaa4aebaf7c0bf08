/** The bounds of the data path, each with its unit. */

/** AWS's constant: 6 MiB and 100 bytes. */
export const responseBytesMax = 6_291_556;
/** How much of a function's error document is kept; the rest is cut. */
export const errorBytesMax = 262_144;
/** What the init phase may take before it is run again inside the first invocation. */
export const initMs = 10_000;
/** An execution environment is frozen after this long without work. */
export const freezeAfterMs = 1_000;
/** An execution environment is ended after this long without work. */
export const idleMs = 600_000;
/** An execution environment is replaced after this long, busy or not. */
export const lifetimeMs = 7_200_000;
/** Credentials that expire sooner than this after the function's own timeout are not handed to another invocation. */
export const credentialsMarginMs = 60_000;
/** How often idle environments are looked at. */
export const sweepMs = 500;
/** How long a dead process's last frames may take to arrive. */
export const lastWordsMs = 500;
/** Longest log line; a longer one becomes several. */
export const logLineBytesMax = 262_144;
/** How long log lines wait to be handed over together. */
export const logFlushMs = 50;
/** Log lines of one environment that wait before they are handed over at once. */
export const logBatchLinesMax = 2_000;
/** What one environment may log in one go, and every second after that. */
export const logBurstBytes = 33_554_432;
export const logBytesPerSecond = 8_388_608;
/** The log tail of an invocation. */
export const logTailBytes = 4_096;
/** Largest head (request line and headers) of a Runtime API request. */
export const runtimeApiHeadBytesMax = 131_072;
/** Connections to one environment's Runtime API at once: a runtime needs one or two, and each may hold a response here. */
export const runtimeApiConnectionsMax = 32;

/** What the operator may set. */
export interface InvokeLimits {
  /** Execution environments that may exist at once, over all functions. */
  readonly environmentsMax: number;
}
