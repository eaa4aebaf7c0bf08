/**
 * A shell that starts the host's tools for the server. Starting a program from a process as large as the server stops all of its work
 * for milliseconds, while the kernel copies the page tables; a shell that waits beside it is small and does so for a fraction.
 */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One start of a tool. */
export interface ToolRun {
  readonly program: string;
  readonly args: readonly string[];
  /** What it reads from its standard input; nothing where `descriptors` has a 0. */
  readonly input: string;
  /** Open files of the server's that it gets: its own number → the server's, and for what. */
  readonly descriptors?: ReadonlyMap<number, { readonly fd: number; readonly mode: "read" | "write" }>;
}

type Shell = ChildProcessByStdio<Writable, Readable, Readable>;

/** Code of a program that was ended, for it took too long or its shell went. */
const ENDED = 128;

export class ToolShell {
  readonly #shell: Shell;
  readonly #outputs: Output[];
  #isOver = false;
  #ended: (reason: string) => void = () => {};

  constructor() {
    this.#shell = spawn("/bin/sh", [], { stdio: ["pipe", "pipe", "pipe"], detached: true });
    this.#outputs = [new Output(this.#shell.stdout), new Output(this.#shell.stderr)];
    this.#shell.stdin.on("error", () => {});
    this.#shell.once("error", (error) => this.#end(error.message));
    this.#shell.once("exit", () => this.#end("the shell that started it has ended"));
    this.#hold(false);
  }

  /** It can start no more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Runs one tool to its end; one at a time. A program that is not there gives code 127. @param msMax It is ended after this. */
  async run(tool: ToolRun, msMax: number): Promise<ProgramResult> {
    this.#hold(true);
    const timer = setTimeout(() => this.#kill(`it took longer than ${msMax} ms`), msMax);
    const ended = new Promise<string>((resolve) => (this.#ended = resolve));
    if (this.#isOver) this.#ended("its shell has ended");
    else this.#shell.stdin.write(commandText(tool));
    const both = Promise.all(this.#outputs.map((output) => output.untilMark()));
    const result = await Promise.race([both, ended]);
    clearTimeout(timer);
    this.#hold(false);
    if (typeof result === "string") return { code: ENDED, stdout: "", stderr: result };
    const [stdout, stderr] = result;
    return { code: stdout?.code ?? ENDED, stdout: stdout?.text ?? "", stderr: stderr?.text ?? "" };
  }

  /** Ends it; to be called when it runs nothing. */
  close(): void {
    this.#isOver = true;
    this.#shell.stdin.end();
  }

  #kill(reason: string): void {
    // The tool and what it started are in the shell's process group.
    if (this.#shell.pid !== undefined)
      try {
        process.kill(-this.#shell.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    this.#end(reason);
  }

  #end(reason: string): void {
    this.#isOver = true;
    this.#ended(reason);
  }

  /** While a tool runs the server's process has something to wait for; between two it has not. */
  #hold(held: boolean): void {
    const handles = [this.#shell, this.#shell.stdin, this.#shell.stdout, this.#shell.stderr] as unknown as {
      ref?(): void;
      unref?(): void;
    }[];
    for (const handle of handles) {
      if (held) handle.ref?.();
      else handle.unref?.();
    }
  }
}

/** Ends what a tool wrote; no tool of ours writes these bytes. */
const MARK = "\0\x01lambent";

/** One of the shell's output streams, cut at the marks that the shell writes after each tool. */
class Output {
  #text = "";
  #wake: () => void = () => {};

  constructor(stream: Readable) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    stream.on("error", () => {});
  }

  async untilMark(): Promise<{ code: number; text: string }> {
    for (;;) {
      const at = this.#text.indexOf(MARK);
      const end = at === -1 ? -1 : this.#text.indexOf("\n", at);
      if (end !== -1) {
        const code = Number(this.#text.slice(at + MARK.length, end));
        const text = this.#text.slice(0, at);
        this.#text = this.#text.slice(end + 1);
        return { code, text };
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** What the shell reads: the tool with its input or descriptors, then the marks. */
function commandText({ program, args, input, descriptors }: ToolRun): string {
  const words = [program, ...args].map(quoted).join(" ");
  const opened = [...(descriptors ?? [])].map(
    ([own, { fd, mode }]) => `${own}${mode === "read" ? "<" : ">"}/proc/${process.pid}/fd/${fd}`,
  );
  const stdin = descriptors?.has(0)
    ? ""
    : input === ""
      ? "</dev/null"
      : `<<'${END_OF_INPUT}'\n${input}\n${END_OF_INPUT}`;
  const mark = MARK.replaceAll("\0", "\\000").replaceAll("\x01", "\\001");
  return `{ ${words}; } ${opened.join(" ")} ${stdin}\nc=$?; printf '${mark}%s\\n' $c; printf '${mark}%s\\n' $c >&2\n`;
}

/** A line that no input of ours holds. */
const END_OF_INPUT = "end-of-lambent-input";

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
