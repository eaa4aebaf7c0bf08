/** The bounds of the data path, each with its unit. */

/** AWS's constant: 6 MiB and 100 bytes. */
export const responseBytesMax = 6_291_556;
/** How much of a function's error document is kept; the rest is cut. */
export const errorBytesMax = 262_144;
/** What the init phase may take before it is run again inside the first invocation. */
export const initMs = 10_000;
/** The same for an environment of provisioned concurrency, unless the function's own timeout is longer. */
export const provisionedInitMs = 130_000;
/** What the after-restore hooks of SnapStart may take. */
export const restoreMs = 10_000;
/** How long a runtime that is about to be saved may take to close its connection. */
export const goodbyeMs = 10_000;
/** Snapshots that are made at the same time. */
export const snapshotsAtOnce = 4;
/** What the snapshots of all versions may take on disk; those that were not restored for longest go first. */
export const snapshotsBytesMax = 34_359_738_368;
/** What the shutdown phase may take, all in all: with internal extensions alone, and with external ones. Without any, it takes nothing. */
export const internalShutdownMs = 500;
export const externalShutdownMs = 2_000;
/** What of it the runtime has before its external extensions are told. */
export const runtimeShutdownMs = 300;
/** An execution environment is frozen after this long without work. */
export const freezeAfterMs = 1_000;
/** Credentials that expire sooner than this after the function's own timeout are not handed to another invocation. */
export const credentialsMarginMs = 60_000;
/** How often idle environments are looked at for freezing. */
export const sweepMs = 500;
/** How often they, and the machine's memory, are looked at for ending some. */
export const reclaimMs = 2_000;
/** Part of the idle environments that is ended each time that memory is found short. */
export const pressureShare = 0.1;
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
/** What the lines of all functions may take in memory until they are kept, in bytes; where it is more, lines are dropped. */
export const logBytesWaitingMax = 268_435_456;
/** The same in lines: 32 MB of empty ones would be 33 million events to store. */
export const logBurstLines = 300_000;
export const logLinesPerSecond = 20_000;
/** One that has used up its rate is given more no more often than this, so that what is dropped is told in few lines. */
export const logRefillMs = 100;
/** The log tail of an invocation. */
export const logTailBytes = 4_096;
/** Largest head (request line and headers) of a Runtime API request. */
export const runtimeApiHeadBytesMax = 131_072;
/** What may follow a chunked body there: an error document in base64 and its type. */
export const runtimeApiTrailerBytesMax = 1_048_576;
/** Connections to one environment's Runtime API at once: a runtime needs one or two, and each may hold a response here. */
export const runtimeApiConnectionsMax = 32;
/** Extensions of one environment, external and internal. */
export const extensionsMax = 10;

/** A provisioned environment that could not be made is tried again after this long, then after twice as long, and so on. */
export const provisionRetryMs = 500;
export const provisionRetryMsMax = 60_000;
/** Tries until provisioned concurrency that never was ready has failed. */
export const provisionTriesMax = 3;
/** Concurrency of a function that nothing was heard of for this long is forgotten; its rates have recovered by then. */
export const forgetMs = 60_000;

/** The /tmp of a process that is booted ahead, in MB: what functions have that name no size. */
export const waitingStorageMb = 512;
/** How long a process that is booted ahead may take until it waits. */
export const waitingBootMs = 20_000;
/** A process that waited for so long is replaced. */
export const waitingAgeMs = 7_200_000;
/** Processes that wait of one runtime and memory size because functions were made, whether or not anybody invokes them. */
export const waitingExpectedMax = 8;
/** Runtimes and memory sizes of which processes wait. */
export const waitingClassesMax = 8;
/** What one that waits takes of the machine's memory, in bytes: a Node.js has 11 MiB of its own with the kernel's part, a Python 14. */
export const waitingBytes = 16_777_216;
/** Memory that they leave free, in bytes and as a part of all that the machine has, whichever is more. */
export const waitingFreeBytesMin = 1_073_741_824;
export const waitingFreeShareMin = 0.25;
/** The next process is booted ahead when no cold start began for so long. */
export const waitingQuietMs = 300;
/** How often the processes that wait are looked at. */
export const waitingSweepMs = 30_000;

/** What differs between machines and between tests. */
export interface InvokeLimits {
  /** Execution environments that may exist at once, over all functions. */
  readonly environmentsMax: number;
  /** AWS's quota of concurrent executions, for each account and region. */
  readonly concurrentExecutions: number;
  /** An execution environment is ended after this long without work. */
  readonly idleMs: number;
  /** An execution environment is replaced after this long; a busy one when its invocation is over. */
  readonly lifetimeMs: number;
  readonly streaming: StreamLimits;
  /** Processes of runtimes that may wait for a function at once; 0 boots none ahead. */
  readonly prebootedMax: number;
}

export const INVOKE_LIMITS_DEFAULT: InvokeLimits = {
  environmentsMax: 1_000,
  concurrentExecutions: 1_000,
  idleMs: 600_000,
  lifetimeMs: 7_200_000,
  prebootedMax: 100,
  streaming: { bytesMax: 209_715_200, burstBytes: 6_291_456, bytesPerSecond: 2_097_152 },
};

/** What a streamed answer may be. https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html */
export interface StreamLimits {
  /** Largest answer, in bytes. */
  readonly bytesMax: number;
  /** What goes out as fast as the caller takes it, in bytes. */
  readonly burstBytes: number;
  /** What goes out in a second after that; 0 for as much as the caller takes. */
  readonly bytesPerSecond: number;
}
