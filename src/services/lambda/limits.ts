/** AWS Lambda's quotas (2026), each with its unit; the ones an operator may raise are in {@link LambdaLimits}. */
export const FUNCTION_NAME_CHARS_MAX = 64;
export const TIMEOUT_SECONDS_DEFAULT = 3;
export const TIMEOUT_SECONDS_MAX = 900;
export const MEMORY_MB_DEFAULT = 128;
export const MEMORY_MB_MAX = 10_240;
export const EPHEMERAL_STORAGE_MB_DEFAULT = 512;
export const EPHEMERAL_STORAGE_MB_MAX = 10_240;
export const ENVIRONMENT_BYTES_MAX = 4_096;
export const TAGS_MAX = 50;
export const POLICY_BYTES_MAX = 20_480;
/** A zip within the request; the front door bounds the whole request. */
export const ZIP_BYTES_MAX = 52_428_800;
/** A zip from S3 is bound only by what it may unpack to. */
export const UNZIPPED_BYTES_MAX = 262_144_000;
/** Layers of one function. */
export const LAYERS_MAX = 5;
/** Files and folders in one zip; AWS names no figure, and a central directory must end somewhere. */
export const ZIP_ENTRIES_MAX = 200_000;
export const SYNC_PAYLOAD_BYTES_MAX = 6_291_456;
export const ASYNC_PAYLOAD_BYTES_MAX = 1_048_576;
/** Of the deprecated InvokeAsync. */
export const INVOKE_ARGS_BYTES_MAX = 262_144;
/** Base64 characters of X-Amz-Client-Context. */
export const CLIENT_CONTEXT_CHARS_MAX = 3_583;
/** Items of one page, whatever MaxItems asks for. */
export const PAGE_ITEMS_MAX = 50;
/** How long a URL of GetFunction's Code.Location is good for. */
export const CODE_LOCATION_MS = 10 * 60_000;

/** Concurrent executions that no function may reserve, of each account and region. */
export const UNRESERVED_CONCURRENCY_MIN = 100;

/** Quotas that differ between accounts on AWS, and between machines here. */
export interface LambdaLimits {
  /** Unpacked code of all versions of one account and region, in bytes. */
  readonly codeStorageBytes: number;
  /** Of each account and region. */
  readonly concurrentExecutions: number;
  /** Asynchronous invocations that run at once on this server. */
  readonly asyncConcurrency: number;
  /** Unpacked code that is kept ready on this server beyond what environments have mounted, in bytes. */
  readonly codeCacheBytes: number;
}

export const LIMITS_DEFAULT: LambdaLimits = {
  codeStorageBytes: 300 * 1024 ** 3,
  concurrentExecutions: 1_000,
  asyncConcurrency: 64,
  codeCacheBytes: 10 * 1024 ** 3,
};
