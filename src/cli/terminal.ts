/** What the command line prints with: colours on a terminal only, and errors that say what to do. */
import { clientEnvironment } from "../config/index.ts";

/** Exit codes of every command; documented in `lambent --help`. */
export const EXIT = { ok: 0, failure: 1, usage: 2, functionError: 3 } as const;

/** A mistake in how a command was called: printed without a stack, exit code 2. */
export class UsageError extends Error {}

/** A failure that its text explains wholly: printed without a stack, exit code 1. */
export class CommandError extends Error {}

const colored = process.stdout.isTTY && clientEnvironment().color;
const paint = (code: number) => (text: string) => (colored ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const green = paint(32);
export const yellow = paint(33);

const reader = new AbortController();
/** Aborted once nobody reads what is printed (`lambent logs … | head`): a command that only prints need not go on then. */
export const readerGone: AbortSignal = reader.signal;

/** Lets a command end as it would, and a server run on, when nobody reads what it prints any more. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      if (stream === process.stdout) reader.abort();
    });
}

export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}
