/** Fetches botocore's service models: a pinned wheel, through pip, checked by hash and kept in a cache. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { fromBufferPromise } from "yauzl";
import { generatedServices } from "./services.ts";
import type { GeneratedService } from "./services.ts";

const VERSION = "1.44.5";
const SHA256 = "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921";
const DOWNLOAD_TIMEOUT_MS = 120_000;

export interface BotocoreType {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
}

export interface BotocoreModel {
  readonly source: string;
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly input?: { readonly shape: string };
        readonly output?: { readonly shape: string };
        readonly errors?: readonly { readonly shape: string }[];
      }
    >
  >;
  readonly shapes: Readonly<Record<string, BotocoreType>>;
}

/** A reader of the models, or undefined (with a notice on stderr) where PyPI cannot be reached. */
export async function botocoreModels(
  cacheRoot: string,
): Promise<((service: GeneratedService) => BotocoreModel) | undefined> {
  const cache = join(cacheRoot, `botocore-${VERSION}`);
  try {
    if (!existsSync(cache)) await fill(cache);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    console.error(`NOTICE: botocore ${VERSION} could not be fetched from PyPI: ${reason}`);
    return undefined;
  }
  return (service) => {
    const text = readFileSync(join(cache, `${service.name}.json`), "utf8");
    return { ...(JSON.parse(text) as BotocoreModel), source: `botocore@${VERSION}` };
  };
}

async function fill(cache: string): Promise<void> {
  const work = `${cache}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    const args = ["download", `botocore==${VERSION}`, "--no-deps", "--quiet", "--dest", work];
    const options = { timeout: DOWNLOAD_TIMEOUT_MS };
    const run = promisify(execFile);
    await run("python3", ["-m", "pip", ...args], options).catch(() => run("pip3", args, options));
    const wheel = readFileSync(join(work, `botocore-${VERSION}-py3-none-any.whl`));
    const hash = createHash("sha256").update(wheel).digest("hex");
    if (hash !== SHA256) throw new Error(`the wheel's SHA-256 is ${hash}, not ${SHA256}`);
    const unpacked = join(work, "models");
    mkdirSync(unpacked);
    await unpack(wheel, unpacked);
    renameSync(unpacked, cache);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function unpack(wheel: Buffer, directory: string): Promise<void> {
  const wanted = new Map(
    generatedServices.map(({ botocore, name }) => [`botocore/data/${botocore}/service-2.json.gz`, name]),
  );
  const zip = await fromBufferPromise(wheel, { lazyEntries: true });
  for await (const entry of zip.eachEntry()) {
    const name = wanted.get(entry.fileName);
    if (name === undefined) continue;
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    writeFileSync(join(directory, `${name}.json`), gunzipSync(Buffer.concat(chunks)));
    wanted.delete(entry.fileName);
  }
  if (wanted.size > 0) throw new Error(`the wheel has no ${[...wanted.keys()].join(", ")}`);
}
