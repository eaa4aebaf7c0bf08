/** A bare interpreter as a contender: the program started, the handler run, the answer read, nothing between. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ANSWER } from "./handlers.ts";
import type { Language } from "./handlers.ts";

/** A folder for modules, removed at the end. */
export class BareModules implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "lambent-bench-bare-"));
  #count = 0;

  /** Writes a module that nothing has read before; answers the command that runs it. */
  command(language: Language, text = language.fresh()): readonly string[] {
    this.#count += 1;
    const file = join(this.#folder, `${this.#count}-${language.file}`);
    writeFileSync(file, text);
    return language.bare(file);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Milliseconds from starting the program to its whole answer. @throws Error when it answers something else. */
export function untilAnswer([program = "", ...words]: readonly string[], answer = ANSWER): Promise<number> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    let took: number | undefined;
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed === answer) took = performance.now() - begun;
    });
    child.once("error", reject);
    // Its exit is not counted, but waited for: it must not weigh on the next one.
    child.once("close", () => {
      if (took === undefined) reject(new Error(`${program} printed ${printed} instead of ${answer}`));
      else resolve(took);
    });
  });
}
