/** Axis 12: the first answer of an image that was never here, and of one whose lower layers another function has already. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { startRegistry } from "../../test/harness/registry.ts";
import { startLambent } from "../contenders/lambent.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { invokeOnce } from "../load/once.ts";
import type { BenchOptions } from "../options.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Turn } from "../rounds.ts";
import { benchImage, writeLayout } from "./image.ts";
import { umociMissing, unpackAndRun } from "./umoci.ts";

const ROLE = "arn:aws:iam::000000000000:role/test-function";
const WAIT = { maxWaitTime: 120, minDelay: 0.02, maxDelay: 0.02 };
const GONE_MS_MAX = 60_000;

export async function images(options: BenchOptions): Promise<AxisResult> {
  if (options.sandbox === "process")
    return { rows: [], notes: ["SKIPPED: images, which need roots of their own (runc)."] };
  await using parts = new AsyncDisposableStack();
  const registry = await startRegistry();
  parts.defer(() => registry.close());
  const lambent = await startLambent({ sandbox: options.sandbox, cpus: "all" });
  parts.defer(() => lambent.stop());
  const layout = mkdtempSync(join(tmpdir(), "lambent-bench-layout-"));
  parts.defer(() => rmSync(layout, { recursive: true, force: true }));
  const image = benchImage("first");
  writeLayout(layout, image);
  const first = registry.put("bench/first", "v1", image);
  const second = registry.put("bench/second", "v1", benchImage("second"));
  const turns: Turn[] = [
    { name: "nothing here", measure: () => lastOf(lambent, [first]) },
    { name: "shared layers", measure: () => lastOf(lambent, [first, second]) },
  ];
  const missing = options.peers ? umociMissing() : "peers are left out";
  if (missing === undefined)
    turns.push({ name: "umoci", measure: async () => ({ ms: await unpackAndRun(layout) }) });
  const rounds = await interleave(turns, options.rounds);
  const steal = rounds.stealPermille;
  const compared = (name: string) => rounds.timesLess(name, "umoci", "ms");
  const megabytes = image.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;
  return {
    rows:
      missing === undefined
        ? [
            row(12, "umoci unpack && runc run", compared("nothing here"), steal),
            row(12, "umoci unpack && runc run, lower layers shared", compared("shared layers"), steal),
          ]
        : [],
    notes: [
      `The image has ${megabytes.toFixed(0)} MB packed, in ${image.blobs.length - 1} layers.`,
      ...turns.map(({ name }) => `${name}: ${rounds.middle(name, "ms").toFixed(0)} ms`),
      ...(missing === undefined ? [] : [`SKIPPED: umoci, since ${missing}.`]),
      roundsNote(rounds),
    ],
  };
}

interface Made {
  readonly name: string;
  readonly ms: number;
}

/** Makes a function; the milliseconds from CreateFunction to its first answer. */
async function firstAnswer(lambent: LambentServer, client: LambdaClient, ImageUri: string): Promise<Made> {
  const name = `image-${performance.now().toFixed(3).replace(".", "-")}`;
  const how = { PackageType: "Image", Role: ROLE, MemorySize: 1_769, Timeout: 30 } as const;
  const startedAt = performance.now();
  await client.send(new CreateFunctionCommand({ ...how, FunctionName: name, Code: { ImageUri } }));
  await waitUntilFunctionActiveV2({ client, ...WAIT }, { FunctionName: name });
  await invokeOnce(lambent.targetOf(name));
  return { name, ms: performance.now() - startedAt };
}

/** Functions are made of images one after the other, and are gone afterwards with all of their layers. */
async function lastOf(lambent: LambentServer, uris: readonly string[]): Promise<{ ms: number }> {
  const client = new LambdaClient(lambent.options);
  const made: Made[] = [];
  for (const uri of uris) made.push(await firstAnswer(lambent, client, uri));
  for (const { name } of made) await client.send(new DeleteFunctionCommand({ FunctionName: name }));
  client.destroy();
  const layers = join(lambent.dataDir, "images/layers");
  for (const end = Date.now() + GONE_MS_MAX; readdirSync(layers).length > 0; await sleep(50))
    if (Date.now() > end) throw new Error("the layers of a deleted function do not go");
  return { ms: made.at(-1)?.ms ?? Number.NaN };
}
