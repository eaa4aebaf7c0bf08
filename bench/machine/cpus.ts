/** Which CPUs serve and which make the load: apart where there are two, so that the one does not disturb the other. */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** For `taskset -c`; undefined where there is one CPU only. */
export function serverCpus(): string | undefined {
  return availableParallelism() > 1 ? "0" : undefined;
}

/** For `taskset -c`; undefined where there is one CPU only. */
export function clientCpus(): string | undefined {
  return availableParallelism() > 1 ? "1" : undefined;
}

/** Binds every thread of a process, and those to come, to CPUs. */
export function pinProcess(pid: number, cpus: string | undefined): void {
  if (cpus !== undefined) execFileSync("taskset", ["-a", "-c", "-p", cpus, String(pid)], { stdio: "ignore" });
}
