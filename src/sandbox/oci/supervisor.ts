/** The server's end of a sandbox's supervisor: starts programs in it, signals them, and hears how they ended. */
import { writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { SandboxEnded, SandboxError } from "../sandbox.ts";
import type { RunningProgram, SandboxExit } from "../sandbox.ts";
import { OutputPipe } from "./output-pipe.ts";
import type { SavedProgram } from "./checkpoint.ts";
import type { Booted } from "./run-bundle.ts";
import { SWEEP_LINE, exitOf, readStatus, signalLine, startLine } from "./supervisor-script.ts";
import type { StartLine } from "./supervisor-script.ts";

/** Longest line of the status pipe, in characters: a function that found a way to write to it could not fill our memory. */
const STATUS_LINE_MAX = 128;

/** What an empty pipe takes at once, whatever its size, in bytes. */
const PIPE_BYTES = 4_096;

/** One program as the server knows it. */
interface Entry {
  readonly running: RunningProgram;
  /** Resolves with its process id inside. */
  readonly began: PromiseWithResolvers<number>;
  /** The same, once it is known. */
  pid: number | undefined;
  /** Called with its exit status; undefined when it went down with the sandbox. */
  readonly ended: (status: number | undefined) => void;
}

export class Supervisor {
  /** Resolves when no process of the sandbox is left. Never rejects. */
  readonly over: Promise<void>;
  readonly #control: FileHandle;
  readonly #stdout: OutputPipe;
  readonly #stderr: OutputPipe;
  readonly #shared: Readable;
  readonly #killedForMemory: () => Promise<boolean>;
  readonly #programs = new Map<number, Entry>();
  #last = 0;
  #swept: () => void = () => {};
  #isOver = false;
  #hasWritten = false;
  /** Commands are written one after the other. */
  #written: Promise<void> = Promise.resolve();

  /** @param killedForMemory Whether the kernel has killed something in the sandbox for memory since this was last asked. */
  constructor(booted: Booted, killedForMemory: () => Promise<boolean>) {
    this.#control = booted.control;
    this.#stdout = new OutputPipe(booted.stdout);
    this.#stderr = new OutputPipe(booted.stderr);
    this.#shared = new OutputPipe(booted.shared).attach();
    this.#killedForMemory = killedForMemory;
    this.over = this.#listen(booted.status);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The programs that have not ended. */
  running(): RunningProgram[] {
    return [...this.#programs.values()].map((entry) => entry.running);
  }

  /** What has to be known to go on with the programs in another life of the sandbox. */
  saved(): SavedProgram[] {
    return [...this.#programs].flatMap(([number, { pid }]) => (pid === undefined ? [] : [{ number, pid }]));
  }

  /** Takes over the programs of a sandbox that was saved. Their output is their own: at most one was saved. */
  adopt(programs: readonly SavedProgram[]): void {
    for (const { number, pid } of programs) {
      this.#last = Math.max(this.#last, number);
      this.#enter(number, "own");
      this.#hear(`${number} began ${pid}`);
    }
  }

  /** @throws SandboxEnded */
  async start(line: Omit<StartLine, "number">): Promise<RunningProgram> {
    if (this.#isOver) throw new SandboxEnded();
    const number = ++this.#last;
    const running = this.#enter(number, line.output);
    await this.#write(startLine({ ...line, number }));
    return running;
  }

  #enter(number: number, output: StartLine["output"]): RunningProgram {
    const isShared = output === "shared";
    const stdout = isShared ? this.#shared : this.#stdout.attach();
    const stderr = isShared ? this.#shared : this.#stderr.attach();
    const status = Promise.withResolvers<number | undefined>();
    const began = Promise.withResolvers<number>();
    began.promise.catch(() => {});
    const exited = status.promise.then((value) => this.#judge(value));
    if (!isShared) void exited.then(() => this.#endOutput(stdout, stderr));
    const signal = async (name: NodeJS.Signals) => {
      const pid = await began.promise.catch(() => 0);
      if (pid > 0 && this.#programs.has(number)) await this.#write(signalLine(pid, name));
    };
    const running = { stdout, stderr, exited, signal };
    this.#programs.set(number, { running, began, pid: undefined, ended: status.resolve });
    return running;
  }

  /**
   * Kills every program and all that came of it; resolves when it is gone.
   * @throws SandboxEnded A function may have killed what waits for it inside.
   */
  async reset(): Promise<void> {
    if (this.#isOver) throw new SandboxEnded();
    const swept = new Promise<void>((resolve) => (this.#swept = resolve));
    await this.#write(SWEEP_LINE);
    await Promise.race([swept, this.over]);
    // Who would have told how they ended is gone too.
    const exits = this.running().map((program) => program.exited);
    for (const number of this.#programs.keys()) this.#end(number, undefined);
    await Promise.all(exits);
    if (this.#isOver) throw new SandboxEnded();
  }

  async #judge(status: number | undefined): Promise<SandboxExit> {
    const exit = status === undefined ? ({ code: undefined, signal: "SIGKILL" } as const) : exitOf(status);
    const outOfMemory = exit.signal === "SIGKILL" && (await this.#killedForMemory());
    return { ...exit, outOfMemory };
  }

  async #endOutput(stdout: Readable, stderr: Readable): Promise<void> {
    await Promise.all([this.#stdout.drained(stdout), this.#stderr.drained(stderr)]);
    this.#stdout.detach(stdout);
    this.#stderr.detach(stderr);
  }

  /** A sandbox that ends meanwhile says so at its status pipe. */
  #write(command: string): Promise<void> {
    if (this.#hasWritten || Buffer.byteLength(command) > PIPE_BYTES)
      this.#written = this.#written
        .then(async () => void (this.#isOver || (await this.#control.writeFile(command))))
        .catch(() => {});
    // Nothing is in the pipe yet, so that this cannot block; later a function may have stopped who reads it.
    else if (!this.#isOver) writeAtOnce(this.#control.fd, command);
    this.#hasWritten = true;
    return this.#written;
  }

  async #listen(status: Readable): Promise<void> {
    let rest = "";
    try {
      for await (const chunk of status) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop()?.slice(0, STATUS_LINE_MAX) ?? "";
        for (const line of lines) this.#hear(line);
      }
    } catch {
      // A broken pipe says what its end says.
    }
    this.#isOver = true;
    const exits = this.running().map((program) => program.exited);
    for (const number of this.#programs.keys()) this.#end(number, undefined);
    // The kernel's counters are read before they are gone with the cgroup.
    await Promise.all(exits);
    await this.#written;
    await this.#control.close();
  }

  #hear(line: string): void {
    const status = readStatus(line);
    const entry = status && this.#programs.get(status.number);
    if (entry && status.event === "began") entry.began.resolve((entry.pid = status.value));
    if (status?.event === "ended") this.#end(status.number, status.value);
    if (status?.event === "swept") this.#swept();
  }

  #end(number: number, status: number | undefined): void {
    const entry = this.#programs.get(number);
    this.#programs.delete(number);
    entry?.began.reject(new SandboxError("the program has ended"));
    entry?.ended(status);
  }
}

function writeAtOnce(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // As above.
  }
}
