/** The limits of an execution environment, as AWS Lambda documents them. */

/** Processes and threads, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const PROCESSES_MAX = 1_024;
/** Open files of one process. */
export const FILE_DESCRIPTORS_MAX = 1_024;
/** Memory that comes with one vCPU, in MB. */
export const VCPU_MEMORY_MB = 1_769;
/** The user and group that functions run as. */
export const SANDBOX_UID = 993;
export const SANDBOX_GID = 990;
export const SANDBOX_USER = "sbx_user1051";
/** A sandbox that nobody has limited by then is limited, in milliseconds: the longest Init phase. */
export const START_ALLOWANCE_MS_MAX = 10_000;
/** vCPUs that the Init phase may use. */
const START_ALLOWANCE_VCPUS = 2;
/** CPU is handed out in slices of this length, in microseconds; AWS's share of 128 MB is about 1.45 ms of each 20 ms. */
export const CPU_PERIOD_US = 20_000;

/** As `cpuQuotaUs`, while the Init phase has its allowance. */
export function startQuotaUs(memoryMb: number): number {
  return Math.max(cpuQuotaUs(memoryMb), START_ALLOWANCE_VCPUS * CPU_PERIOD_US);
}

/** The CPU time of each period, in microseconds, that a memory size buys. The kernel takes no less than 1 ms. */
export function cpuQuotaUs(memoryMb: number): number {
  return Math.max(1_000, Math.round((memoryMb / VCPU_MEMORY_MB) * CPU_PERIOD_US));
}
