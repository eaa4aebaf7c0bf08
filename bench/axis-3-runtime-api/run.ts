/** Axis 3: the CPU of one invocation of a custom runtime, through the HTTP Runtime API, against the plain way on node:http. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sandboxGroupIn, startLambent } from "../contenders/lambent.ts";
import { freePort, startMeasured } from "../contenders/server.ts";
import type { ContenderServer } from "../contenders/server.ts";
import { callersOf, loadAndCount, warmUp } from "../contenders/warm.ts";
import { startGenerator } from "../load/generator.ts";
import { usedUsBelow } from "../machine/cpu-group.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";

const START_MS_MAX = 60_000;
const SERVER = fileURLToPath(new URL("./reference-server.ts", import.meta.url));
const WORKER = new URL("./worker.mjs", import.meta.url);
/** A custom runtime brings its interpreter. */
const BOOTSTRAP = `#!/bin/sh\nexec "$LAMBDA_TASK_ROOT/node.bootstrap" "$LAMBDA_TASK_ROOT/worker.mjs"\n`;

export async function runtimeApiCost(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const callers = callersOf(options);
  const files = {
    bootstrap: BOOTSTRAP,
    "node.bootstrap": interpreter(options),
    "worker.mjs": readFileSync(WORKER),
  };
  const lambent = await startLambent({ sandbox: options.sandbox });
  parts.defer(() => lambent.stop());
  await lambent.deployFromBucket("custom", files, { Runtime: "provided.al2023", Handler: "none" });
  const ours = { ...lambent, target: lambent.targetOf("custom") };
  const reference = await startReference(files, callers, options.sandbox);
  parts.defer(() => reference.stop());
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const job = { connections: callers, durationMs: options.quick ? 300 : 3_000 };
  await warmUp(ours, generator, job, options);
  await generator.run({ target: reference.target, ...job });
  const turns = [ours, reference].map((server) => ({
    name: server.name,
    async measure() {
      const { cpuUs, perSecond } = await loadAndCount(server, generator, job);
      return { cpuUs, perSecond };
    },
  }));
  const rounds = await interleave(turns, options.rounds);
  const ratio = rounds.timesLess(ours.name, reference.name, "cpuUs");
  const figure = (name: string, metric: string) => Math.round(rounds.middle(name, metric));
  return {
    rows: [row(3, "Runtime API on node:http", ratio, rounds.stealPermille)],
    notes: [
      ...turns.map(({ name }) => `${name}: ${figure(name, "cpuUs")} µs CPU, ${figure(name, "perSecond")}/s`),
      "The Runtime Interface Emulator, which the moonshot names too, is Go source and is not compared.",
      roundsNote(rounds),
    ],
  };
}

/** Node itself, since a sandbox shows a custom runtime none; where nothing is isolated, the one of this machine. */
function interpreter({ sandbox }: BenchOptions): string | Uint8Array {
  if (sandbox === "process") return `#!/bin/sh\nexec "${process.execPath}" "$@"\n`;
  return readFileSync(process.execPath);
}

async function startReference(
  files: Readonly<Record<string, string | Uint8Array>>,
  sandboxes: number,
  kind: BenchOptions["sandbox"],
): Promise<ContenderServer> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-reference-"));
  // Functions run as another user.
  chmodSync(folder, 0o755);
  const code = join(folder, "code");
  mkdirSync(code);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(code, name), content, { mode: 0o755 });
  const port = await freePort();
  const words = [String(port), code, join(folder, "state"), String(sandboxes), kind];
  const running = startMeasured({ name: "reference", folder, command: [process.execPath, SERVER, ...words] });
  for (const end = Date.now() + START_MS_MAX; !running.printed().includes("ready"); await sleep(50))
    if (Date.now() > end || running.child.exitCode !== null) {
      await running.stop();
      throw new Error(`the reference server did not start:\n${running.printed()}`);
    }
  const group = sandboxGroupIn(join(folder, "state"));
  const credentials = { accessKeyId: "none", secretAccessKey: "none" };
  return {
    name: "reference",
    pid: running.child.pid as number,
    target: { host: "127.0.0.1", port, path: "/2015-03-31/functions/custom/invocations", credentials },
    usedUs: () => running.group.usedUs() + (group === undefined ? 0 : usedUsBelow(group)),
    stop: () => running.stop(),
  };
}
