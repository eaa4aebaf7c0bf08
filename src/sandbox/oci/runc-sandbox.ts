/** A container in the service of one function: its mounts, its limits, how it is frozen and ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { START_ALLOWANCE_MS_MAX, cpuQuotaUs, startQuotaUs } from "../limits.ts";
import { SandboxError } from "../sandbox.ts";
import type { Inside, Priority, Program, RunningProgram, Sandbox, SandboxLimits } from "../sandbox.ts";
import type { Container } from "./container.ts";
import { signalAll } from "./host-processes.ts";
import { mountLate } from "./late-mounts.ts";
import type { MountCalls } from "./mount-calls.ts";

/** How long a reset may take, in milliseconds; it takes some twenty on gVisor, fewer on runc. */
const RESET_MS_MAX = 1_000;

export interface RuncSandboxDeps {
  readonly id: string;
  readonly container: Container;
  readonly inside: Inside;
  readonly memoryMb: number;
  /** What the runtime itself uses of the cgroup's memory, in MB. */
  readonly overheadMb: number;
  /** Undefined where nothing can be mounted any more. */
  readonly mounts: MountCalls | undefined;
  /** Whether `env` inside knows --default-signal. */
  readonly defaultSignals: boolean;
  readonly canBeSaved: boolean;
}

/** Takes charge of a container; it is cleaned up when it ends, whether or not `stop` is called. */
export class RuncSandbox implements Sandbox {
  readonly id: string;
  readonly inside: Inside;
  readonly address: string;
  readonly #deps: RuncSandboxDeps;
  readonly #container: Container;
  #memoryMb: number;
  /** What the cgroup was told last: a write that changes nothing is left out. */
  #limited: { memoryMb: number; quotaUs: number };
  #allowance: NodeJS.Timeout | undefined;
  /** One mount after the other. */
  #mounted: Promise<void> = Promise.resolve();

  constructor(deps: RuncSandboxDeps) {
    this.id = deps.id;
    this.inside = deps.inside;
    this.address = deps.container.attachment.address;
    this.#deps = deps;
    this.#container = deps.container;
    this.#memoryMb = deps.memoryMb;
    const { memoryMb } = deps.container.spec;
    this.#limited = { memoryMb, quotaUs: startQuotaUs(memoryMb) };
    this.#beginAllowance();
    void this.#container.supervisor.over.then(() => clearTimeout(this.#allowance));
  }

  addressOf(port: number): string {
    return this.inside.addressOf(port);
  }

  /** Those that have not ended. */
  get programs(): readonly RunningProgram[] {
    return this.#container.supervisor.running();
  }

  get hasEnded(): boolean {
    return this.#container.hasEnded();
  }

  start(program: Program): Promise<RunningProgram> {
    const { environment } = program;
    return this.#container.supervisor.start({
      tools: this.#container.tools,
      command: program.command,
      workingDirectory: program.workingDirectory,
      environment: typeof environment === "function" ? environment(this.inside) : environment,
      output: program.output ?? "own",
      hasRecords: program.hasRecords ?? false,
      defaultSignals: this.#deps.defaultSignals,
    });
  }

  async mount(source: string, target: string): Promise<void> {
    const { mounts } = this.#deps;
    if (mounts === undefined) throw new SandboxError("nothing can be mounted into a sandbox that was made");
    const mounted = this.#mounted.then(() => mountLate(mounts, this.#container.scratch, { source, target }));
    this.#mounted = mounted.catch(() => {});
    await mounted;
  }

  async setLimits({ memoryMb }: SandboxLimits): Promise<void> {
    this.#memoryMb = memoryMb;
    const { cgroup } = this.#container;
    if (this.#container.hasEnded() || cgroup === undefined) return;
    if (memoryMb !== this.#limited.memoryMb) {
      await cgroup.setMemory((memoryMb + this.#deps.overheadMb) * 1024 * 1024);
      this.#limited.memoryMb = memoryMb;
    }
    await this.#setCpuQuota(startQuotaUs(memoryMb));
    await this.#container.forgetPeak();
    this.#beginAllowance();
  }

  async limitCpu(): Promise<void> {
    clearTimeout(this.#allowance);
    await this.#setCpuQuota(cpuQuotaUs(this.#memoryMb));
  }

  async #setCpuQuota(quotaUs: number): Promise<void> {
    if (quotaUs === this.#limited.quotaUs || this.#container.hasEnded()) return;
    await this.#container.cgroup?.setCpuQuota(quotaUs);
    this.#limited.quotaUs = quotaUs;
  }

  async setPriority(priority: Priority): Promise<void> {
    if (!this.#container.hasEnded()) await this.#container.cgroup?.setIdle(priority === "idle");
  }

  async freeze(): Promise<void> {
    const { cgroup, pid } = this.#container;
    if (!this.#container.hasEnded()) await (cgroup ? cgroup.freeze() : signalAll(pid, "SIGSTOP"));
  }

  async thaw(): Promise<void> {
    const { cgroup, pid } = this.#container;
    if (!this.#container.hasEnded()) await (cgroup ? cgroup.thaw() : signalAll(pid, "SIGCONT"));
  }

  checkpoint(folder: string): Promise<void> {
    if (!this.#deps.canBeSaved) throw new SandboxError("a sandbox of this provider cannot be saved");
    return this.#container.save(folder);
  }

  /** Programs that fork as fast as they are killed, or leave what kills them no time, end with their sandbox. */
  async reset(): Promise<void> {
    const late = setTimeout(() => void this.#container.kill().catch(() => {}), RESET_MS_MAX);
    try {
      await this.#container.supervisor.reset();
    } finally {
      clearTimeout(late);
    }
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.#container.hasEnded()) {
      await this.thaw().catch(() => {});
      const programs = this.#container.supervisor.running();
      if (graceMs > 0 && programs.length > 0) {
        for (const program of programs) void program.signal("SIGTERM");
        const exits = Promise.all(programs.map((program) => program.exited));
        await Promise.race([exits, sleep(graceMs, undefined, { ref: false })]);
      }
    }
    await this.#container.kill();
  }

  async peakMemoryBytes(): Promise<number> {
    // What the runtime itself uses beside the function's memory is not told as the function's.
    return Math.min(await this.#container.peakBytes(), this.#memoryMb * 1024 * 1024);
  }

  #beginAllowance(): void {
    clearTimeout(this.#allowance);
    this.#allowance = setTimeout(() => void this.limitCpu().catch(() => {}), START_ALLOWANCE_MS_MAX);
    this.#allowance.unref();
  }
}
