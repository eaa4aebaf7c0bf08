/**
 * How a function's share of the CPU follows its memory: work done per second by a handler that spins, at several sizes, in interleaved
 * rounds. AWS documents that CPU is proportional to memory, with 1,769 MB for one vCPU: 128 MB do 1/13.8 of its work.
 *
 *   node bench/limits/cpu.ts [--rounds 5] [--seconds 2]
 */
import { parseArgs } from "node:util";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { start } from "../../src/index.ts";
import { deployFunction } from "../../test/harness/functions.ts";
import { clientOptions } from "../../test/harness/server.ts";
import { median } from "../statistics.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "2" } },
});
const ROUNDS = Number(values.rounds);
const MS = Number(values.seconds) * 1_000;
const WHOLE_MB = 1_769;
const SIZES_MB = [128, 512, 1_024, WHOLE_MB];
/** How far a measured ratio may be from memory's. */
const TOLERANCE = 0.15;

/** What is counted stays small: a number that outgrew the engine's small integers would be counted at half the speed from then on. */
const SPIN = `let mixed = 1;
export const handler = async ({ ms }) => {
  const until = Date.now() + ms;
  let count = 0;
  for (; Date.now() < until; count++)
    for (let step = 0; step < 200; step++) mixed = (Math.imul(mixed, 31) + step) | 0;
  return count;
};`;

const server = await start({ sandbox: "runc" });
try {
  const options = clientOptions(server.endpoint);
  const clients = new Map<number, LambdaClient>();
  for (const size of SIZES_MB)
    clients.set(
      size,
      await deployFunction(options, `spin-${size}`, { "index.mjs": SPIN }, { MemorySize: size, Timeout: 60 }),
    );
  const work = async (size: number, ms: number) => {
    const command = new InvokeCommand({ FunctionName: `spin-${size}`, Payload: JSON.stringify({ ms }) });
    const { Payload } = (await clients.get(size)?.send(command)) ?? {};
    return Number(Payload?.transformToString());
  };
  // Compiled code and an environment that is past its Init phase.
  for (const size of SIZES_MB) await work(size, 1_000);
  const ratios = new Map<number, number[]>(SIZES_MB.map((size) => [size, []]));
  for (let round = 0; round < ROUNDS; round++) {
    const done = new Map<number, number>();
    for (const size of SIZES_MB) done.set(size, await work(size, MS));
    for (const size of SIZES_MB)
      ratios.get(size)?.push((done.get(WHOLE_MB) ?? 0) / (done.get(size) ?? Number.NaN));
  }
  console.log("memory MB | ratio to 1,769 MB | by memory | off by");
  let isGood = true;
  for (const size of SIZES_MB) {
    const measured = median(ratios.get(size) ?? []);
    const off = measured / (WHOLE_MB / size) - 1;
    isGood &&= Math.abs(off) <= TOLERANCE;
    console.log(
      [size, measured.toFixed(2), (WHOLE_MB / size).toFixed(2), `${(off * 100).toFixed(1)} %`].join(" | "),
    );
  }
  console.log(isGood ? "within 15 %" : "NOT within 15 %: is the machine busy with something else?");
} finally {
  await server.stop();
}
