/**
 * How much memory the processes of a cgroup have used at most, as AWS reports it: what they hold, not what the kernel caches of their
 * files and takes back when it likes.
 *
 * The kernel keeps a peak of a cgroup, but page cache is in it: a function that writes to /tmp would always seem to be at its limit. It
 * also keeps the peak of each process's resident memory. So the figure is what the cgroup's processes hold now (its anonymous and shared
 * memory, in which pages that processes share count once), and what each of them has given back since its own peak, and the files that
 * are mapped into the largest (its program and libraries). A process that came and went between two looks is missed, unless the kernel
 * had to kill for memory: then the limit was reached.
 */
import { readFileSync } from "node:fs";

/** Where the kernel tells about a cgroup. */
export interface MemoryFiles {
  /** The kernel's own peak, page cache included; the first that is there. */
  readonly peak: readonly string[];
  readonly stat: string;
  /** Counts what the kernel killed for memory, under `oom_kill`. */
  readonly kills: string;
  readonly processes: string;
  /** Names in `stat`: anonymous memory, and the page cache, of which what is shared through tmpfs is a part. */
  readonly names: { readonly anonymous: string; readonly cache: string };
}

/**
 * While the kernel's peak has not moved and is no more than this above what processes held, there is nothing new to see, in bytes: a look
 * costs a tenth then, and most invocations of a warm environment end so.
 */
const UNSEEN_BYTES_MAX = 8 * 1024 * 1024;

/** Nothing that runs functions is smaller, in bytes; the shells of a sandbox's supervisor are. */
const SHELL_BYTES_MAX = 3 * 1024 * 1024;

interface Resident {
  readonly pid: string;
  readonly bytes: number;
  /** Mapped files, of which the kernel keeps one copy for all. */
  readonly files: number;
  /** What it has given back since its peak. */
  readonly given: number;
}

const NOBODY: Resident = { pid: "", bytes: 0, files: 0, given: 0 };

export class MemoryUsed {
  readonly #files: MemoryFiles;
  #peak = 0;
  #kernelPeak = -1;
  /** The kernel's peak at the last reset, which version 2 does not take back. */
  #kernelPeakBefore = 0;
  #kills = 0;
  #unseen = 0;
  #largest = NOBODY;

  constructor(files: MemoryFiles) {
    this.#files = files;
  }

  /** Forgets the peak so far. @param kernelToo The kernel has forgotten its own. */
  reset(kernelToo: boolean): void {
    this.#peak = 0;
    this.#kernelPeakBefore = kernelToo ? 0 : this.#readPeak();
    this.#kernelPeak = -1;
    this.#largest = NOBODY;
    this.#kills = this.#readKills();
  }

  /** Bytes, at most, since the last reset; infinite when the limit was reached. @throws when the cgroup is gone. */
  look(): number {
    const kernelPeak = this.#readPeak();
    if (kernelPeak === this.#kernelPeak && this.#unseen < UNSEEN_BYTES_MAX) return this.#peak;
    const stat = readFileSync(this.#files.stat, "utf8");
    const { anonymous, cache } = this.#files.names;
    const shared = valueOf(stat, "shmem ");
    const held = valueOf(stat, anonymous) + shared;
    const pids = readFileSync(this.#files.processes, "utf8").split("\n").filter(Boolean);
    const processes = pids.map(residentOf);
    const given = processes.reduce((sum, process) => sum + process.given, 0);
    const largest = processes.reduce((one, other) => (other.bytes > one.bytes ? other : one), NOBODY);
    let used = held + given + largest.files;
    // The function's own process has ended, and its peak is gone with it: the kernel's, without what is cached, comes next to it.
    const known = this.#largest.pid;
    const ended = known === "" ? largest.bytes < SHELL_BYTES_MAX : !pids.includes(known);
    if (ended && kernelPeak > this.#kernelPeakBefore)
      used = Math.max(used, kernelPeak - (valueOf(stat, cache) - shared) + this.#largest.files);
    else this.#largest = largest;
    if (this.#readKills() > this.#kills) used = Number.POSITIVE_INFINITY;
    this.#kernelPeak = kernelPeak;
    this.#unseen = kernelPeak - held - given;
    this.#peak = Math.max(this.#peak, used);
    return this.#peak;
  }

  #readPeak(): number {
    for (const path of this.#files.peak)
      try {
        return Number(readFileSync(path, "utf8"));
      } catch (error) {
        if (path === this.#files.peak.at(-1)) throw error;
      }
    return 0;
  }

  #readKills(): number {
    return valueOf(readFileSync(this.#files.kills, "utf8"), "oom_kill ");
  }
}

/** What a process has of memory; nothing when it has ended. */
function residentOf(pid: string): Resident {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const bytes = (name: string) => valueOf(status, `${name}:`) * 1024;
    const now = bytes("VmRSS");
    return { pid, bytes: now, files: bytes("RssFile"), given: Math.max(0, bytes("VmHWM") - now) };
  } catch {
    return NOBODY;
  }
}

/** The number after a name at the beginning of a line. */
function valueOf(text: string, name: string): number {
  const at = text.startsWith(name) ? 0 : text.indexOf(`\n${name}`) + 1;
  if (at === 0 && !text.startsWith(name)) return 0;
  // Long enough for any number of bytes.
  return Number.parseInt(text.slice(at + name.length, at + name.length + 32).trim(), 10) || 0;
}
