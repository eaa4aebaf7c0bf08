/** CPU time of one process by thread: what its main thread used, and what its helpers did. */
import { readFileSync, readdirSync } from "node:fs";

export interface ThreadTimes {
  readonly mainUs: number;
  readonly othersUs: number;
}

/** Microseconds on a CPU since the process began. */
export function threadTimes(pid: number): ThreadTimes {
  let [mainUs, othersUs] = [0, 0];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ns = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    if (Number(thread) === pid) mainUs += Number(ns) / 1_000;
    else othersUs += Number(ns) / 1_000;
  }
  return { mainUs, othersUs };
}
