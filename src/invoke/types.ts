/** The words of the data path. It knows functions and bytes, and no AWS wire format. */

/** One immutable version of a function, with everything an execution environment needs. */
export interface FunctionVersion {
  /** Changes whenever code or configuration changes; environments are never shared between keys. */
  readonly key: string;
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  /** Unqualified. */
  readonly functionArn: string;
  readonly runtime: string;
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly ephemeralStorageMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Host folder with the unpacked code, while it is held. */
  readonly codeDir: string;
  /**
   * Makes sure that the code lies in its folder, and keeps it there until the answer is called; every environment does so for as long as it
   * lives. Absent where the code always lies there.
   */
  readonly holdCode?: () => Promise<() => void>;
  /** Host folder with the merged layers. */
  readonly optDir?: string;
  /** Of a version that is a container image, whose root file system lies in `codeDir`. */
  readonly image?: FunctionImage;
  /** Cold starts restore a snapshot, which is made when the version is. */
  readonly snapStart?: true;
  readonly roleArn: string;
  readonly logGroup: string;
  /** LoggingConfig.LogFormat; Text when absent. */
  readonly logFormat?: "Text" | "JSON";
  /** LoggingConfig.ApplicationLogLevel; INFO when absent. Only with JSON. */
  readonly applicationLogLevel?: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
  /** LoggingConfig.SystemLogLevel; INFO when absent. Only with JSON. */
  readonly systemLogLevel?: "DEBUG" | "INFO" | "WARN";
}

/** How a container image is run: as it says itself, and where the function's configuration says something else, so. */
export interface FunctionImage {
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  /** What the image says; asked while its code is held. */
  defaults(): {
    readonly entryPoint: readonly string[];
    readonly command: readonly string[];
    readonly workingDirectory: string;
    /** `NAME=value` */
    readonly environment: readonly string[];
  };
}

export interface Invocation {
  readonly requestId: string;
  readonly payload: Buffer;
  /** As invoked, qualifier included. */
  readonly invokedFunctionArn: string;
  /** JSON text, decoded from base64. */
  readonly clientContext?: string;
  readonly traceHeader?: string;
  /** Comes from the queue of asynchronous invocations, which have no limit of requests per second. */
  readonly isAsynchronous?: boolean;
  /** Answer the last 4 KB of this invocation's log. */
  readonly wantLogTail: boolean;
  /** Takes the answer while the function makes it. Absent, an answer that the function streams is collected, and may be 6 MB. */
  readonly sink?: AnswerSink;
}

/**
 * A caller that takes a streamed answer as the function makes it. The data path calls `start` once, before the first byte, and then
 * `write`, and neither after the invocation's {@link Outcome}, which says how the answer ended. A function that answers whole, or fails
 * before its first byte, calls neither. A caller that goes away takes on what comes and drops it: the function runs to its end, as on AWS.
 */
export interface AnswerSink {
  /** @param contentType As the function named it. */
  start(contentType: string): void;
  /**
   * Takes the next bytes for its own. A promise asks to wait with more until it resolves; it never rejects, and resolves at the latest
   * when the caller has gone.
   */
  write(bytes: Buffer): Promise<void> | undefined;
}

export interface Outcome {
  /** The answer, or the error's document. Empty where the {@link AnswerSink} has the answer; after a failure, that has what came before. */
  readonly payload: Buffer;
  /** Present when the function failed. */
  readonly functionError?: "Unhandled";
  /** What failed, as the function or the platform names it; with `functionError`. */
  readonly errorType?: string;
  readonly logTail?: Buffer;
  readonly durationMs: number;
  readonly initDurationMs?: number;
  readonly maxMemoryUsedMb: number;
}

/** Temporary credentials of an execution role. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface LogLine {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

/** What the data path needs from the rest; satisfied in compose.ts. */
export interface InvokePorts {
  credentials(version: Pick<FunctionVersion, "roleArn">, sessionName: string): Promise<Credentials>;
  /**
   * Keeps log lines of one environment's stream, in order. Never throws into the data path; dropped when the role may not log.
   * @param traceHeader X-Amzn-Trace-Id of the invocation that wrote them last
   */
  writeLogs(
    version: FunctionVersion,
    logStream: string,
    lines: readonly LogLine[],
    traceHeader?: string,
  ): void;
  /** What the lines of all functions that are not kept yet take in memory, in bytes. */
  logBytesWaiting(): number;
}

/** How far the provisioned concurrency of a version is. */
export interface ProvisionedStatus {
  readonly requested: number;
  /** Initialized. */
  readonly allocated: number;
  /** Of these, what invocations may use. */
  readonly available: number;
  readonly status: "IN_PROGRESS" | "READY" | "FAILED";
  /** Why it failed. */
  readonly reason?: string;
}

/** Names a function: what its unqualified ARN holds. */
export interface FunctionOwner {
  readonly account: string;
  readonly region: string;
  readonly functionArn: string;
}

/** A version that may be invoked. With `session` it was just made or changed: its role's session is opened ahead, and a process is its own. */
export type ExpectedVersion = Pick<FunctionVersion, "runtime" | "handler" | "memoryMb"> & {
  readonly session?: Pick<FunctionVersion, "roleArn" | "functionName">;
};

export interface Invoker {
  /** Runs one invocation to its end. A function's failure is an Outcome; only our own failures reject. */
  invoke(version: FunctionVersion, invocation: Invocation): Promise<Outcome>;
  /** Sets how many invocations a function may run at once, which are its own; 0 switches it off, undefined takes it back. */
  reserve(owner: FunctionOwner, reserved: number | undefined): void;
  /** Says that a version may be invoked soon, so that what its first invocation needs may be made ahead. Nothing is waited for. */
  prepare(version: ExpectedVersion): void;
  /** Keeps so many environments of a version ready for it alone; 0 gives them up. */
  provision(version: FunctionVersion, count: number): void;
  /** How far that is, by the version's key; undefined where nothing is kept ready. */
  provisioned(key: string): ProvisionedStatus | undefined;
  /** Initializes a version with SnapStart and keeps its snapshot, unless there is one that will do. @throws SnapshotFailed. */
  snapshot(version: FunctionVersion): Promise<void>;
  /** Removes the snapshots of all other versions. @param keys Of those that are. */
  keepSnapshots(keys: ReadonlySet<string>): Promise<void>;
  /** Lets the environments of a superseded or deleted version finish and ends them; its snapshot is removed. */
  retire(key: string): Promise<void>;
  /** Finishes what runs, within `graceMs`, then ends every environment. */
  stop(graceMs: number): Promise<void>;
}
