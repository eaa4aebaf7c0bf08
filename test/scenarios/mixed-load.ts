/** Many invocations over many functions, some of which fail in every way there is: what a server lives with for months, in minutes. */
import assert from "node:assert/strict";
import type { Answer, Scenario, Stage } from "./scenario.ts";

export interface MixedLoad {
  readonly invocations: number;
  readonly functions: number;
  /** Invocations at the same time. */
  readonly concurrency: number;
}

/** How an invocation ends → how many of a thousand do. The rest answers. */
const ENDINGS = {
  error: 20,
  exit: 6,
  abort: 3,
  "too large": 3,
  timeout: 2,
  "out of memory": 2,
  "exit after the response": 4,
} as const;
type Ending = keyof typeof ENDINGS | "answer";

const CODE = `import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
export const handler = async ({ ending, n }) => {
  writeFileSync("/tmp/last", String(n));
  if (n % 50 === 0) spawn("/bin/sleep", ["1000"], { stdio: "ignore" });
  if (n % 7 === 0) console.log("invocation", n);
  if (ending === "error") throw new Error("on purpose");
  if (ending === "exit") process.exit(1);
  if (ending === "abort") process.abort();
  if (ending === "too large") return "x".repeat(6_291_556);
  if (ending === "timeout") await new Promise(() => setInterval(() => {}, 1_000));
  if (ending === "out of memory") for (const kept = []; ; ) kept.push(Buffer.alloc(8 << 20, 1));
  if (ending === "exit after the response") setTimeout(() => process.exit(1), 1);
  return n;
};`;

/** What an invocation that fails by itself is told. */
const ERRORS: Partial<Record<Ending, string>> = {
  error: "Error",
  "too large": "Function.ResponseSizeTooLarge",
  "out of memory": "Runtime.OutOfMemory",
};
/** What may meet any: an exit that the invocation before asked for, and slowness on a machine that has much to do. */
const ANYBODYS = ["Runtime.ExitError", "Sandbox.Timedout"];

/** The functions and the load as a scenario. @param tell Called now and then with the number of invocations so far. */
export function mixedLoad(load: MixedLoad, tell: (done: number) => void = () => {}): Scenario {
  const names = Array.from({ length: load.functions }, (_, at) => `f${at}`);
  return {
    title: "a mixed load leaves nothing behind",
    functions: Object.fromEntries(
      // Each has code of its own, as functions have.
      names.map((name) => [
        name,
        { files: { "index.mjs": `// ${name}\n${CODE}` }, memoryMb: 128, timeoutSeconds: 3 },
      ]),
    ),
    alone: true,
    async run(stage) {
      let next = 0;
      const worker = async () => {
        for (let n = next++; n < load.invocations; n = next++) {
          const ending = endingOf(n);
          check(
            await invoke(stage, names[Math.floor(Math.random() * names.length)] ?? "", ending, n),
            ending,
            n,
          );
          if (n % 1_000 === 0) tell(n);
        }
      };
      await Promise.all(Array.from({ length: load.concurrency }, worker));
    },
  };
}

function invoke(stage: Stage, name: string, ending: Ending, n: number): Promise<Answer> {
  return stage.invoke(name, { ending, n });
}

/** Spread evenly, and the same in every run. */
function endingOf(n: number): Ending {
  let at = (n * 617) % 1_000;
  for (const [ending, share] of Object.entries(ENDINGS)) {
    if (at < share) return ending as Ending;
    at -= share;
  }
  return "answer";
}

function check({ json, functionError }: Answer, ending: Ending, n: number): void {
  if (functionError)
    assert.ok([ERRORS[ending], ...ANYBODYS].includes(json.errorType), `${ending}: ${JSON.stringify(json)}`);
  else {
    assert.equal(json, n, ending);
    assert.ok(ending === "answer" || ending === "exit after the response", `${ending} answered`);
  }
}
