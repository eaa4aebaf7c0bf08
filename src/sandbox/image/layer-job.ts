/** One layer: fetched, checked and unpacked as it comes. Runs in a thread of its own. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ImageError } from "./image-error.ts";
import { readLayer } from "./image-source.ts";
import type { LayerSource } from "./image-source.ts";
import { LayerTree } from "./layer-tree.ts";
import type { Removals } from "./layer-tree.ts";
import { imageTooLarge } from "./manifest.ts";
import type { LayerDescriptor } from "./manifest.ts";
import { TarReader } from "./tar-reader.ts";

export interface LayerJob {
  readonly source: LayerSource;
  readonly layer: LayerDescriptor;
  /** `sha256:…` of the layer as it is unpacked. */
  readonly diffId: string;
  /** An empty folder, or none yet. */
  readonly folder: string;
  readonly owners: boolean;
  /** One number: what the image may still unpack to, in bytes, over all its layers that are being unpacked. */
  readonly budget: SharedArrayBuffer;
}

export interface UnpackedLayer extends Removals {
  readonly bytes: number;
  readonly entries: number;
}

/** Times that a broken transfer goes on where it broke. */
const RESUMES_MAX = 5;
const RESUME_WAIT_MS = 200;
/** A registry that sends a little now and then would keep a thread for ever, in milliseconds. */
const LAYER_MS_MAX = 30 * 60_000;
/** Pieces that are unpacked at once, in bytes. */
const CHUNK_BYTES = 256 * 1024;

/** @throws ImageError, and what the file system throws. */
export async function unpackLayer(job: LayerJob): Promise<UnpackedLayer> {
  mkdirSync(job.folder, { recursive: true, mode: 0o755 });
  const tree = new LayerTree(job.folder, job.owners);
  const tar = new TarReader(tree);
  const budget = new BigInt64Array(job.budget);
  const unpackedHash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of unpacked(job)) {
      bytes += chunk.length;
      if (Atomics.sub(budget, 0, BigInt(chunk.length)) < BigInt(chunk.length)) throw imageTooLarge();
      unpackedHash.update(chunk);
      tar.push(chunk);
    }
    tar.finish();
  } catch (error) {
    tree.abandon();
    throw error;
  }
  const removals = tree.finish();
  if (`sha256:${unpackedHash.digest("hex")}` !== job.diffId)
    throw new ImageError(
      "invalid",
      `the layer ${job.layer.digest} does not unpack to ${job.diffId}, as its image says`,
    );
  return { ...removals, bytes, entries: tree.entries };
}

/** The layer's archive. @throws ImageError */
async function* unpacked(job: LayerJob): AsyncGenerator<Buffer> {
  const packed = checked(job);
  if (job.layer.packing === "plain") {
    yield* packed;
    return;
  }
  const options = { chunkSize: CHUNK_BYTES };
  const opened = job.layer.packing === "gzip" ? createGunzip(options) : createZstdDecompress(options);
  const source = Readable.from(packed, { objectMode: false, highWaterMark: CHUNK_BYTES });
  let broken: Error | undefined;
  source.once("error", (error) => opened.destroy((broken = error)));
  try {
    for await (const chunk of source.pipe(opened)) yield chunk as Buffer;
  } catch (error) {
    if (broken) throw broken;
    throw new ImageError(
      "invalid",
      `the layer ${job.layer.digest} cannot be unpacked: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  } finally {
    source.destroy();
  }
}

/** The layer as it is packed: exactly the bytes that its digest stands for. @throws ImageError */
async function* checked({ source, layer }: LayerJob): AsyncGenerator<Buffer> {
  const signal = AbortSignal.timeout(LAYER_MS_MAX);
  const hash = createHash("sha256");
  let done = 0;
  for (let resumes = 0; done < layer.size || resumes === 0; resumes++) {
    const before = done;
    try {
      for await (const chunk of bytesFrom(source, layer.digest, done, signal)) {
        done += chunk.length;
        if (done > layer.size)
          throw new ImageError("invalid", `the layer ${layer.digest} is larger than its manifest says`);
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof ImageError && error.problem !== "unreachable") throw error;
      if (resumes >= RESUMES_MAX || signal.aborted) throw error;
    }
    if (done < layer.size && resumes >= RESUMES_MAX)
      throw new ImageError(
        "unreachable",
        `${source.registry} broke off the layer ${layer.digest} ${resumes + 1} times`,
      );
    if (done === before && done < layer.size) await sleep(RESUME_WAIT_MS * 2 ** resumes);
  }
  if (`sha256:${hash.digest("hex")}` !== layer.digest)
    throw new ImageError(
      "invalid",
      `what ${source.registry} sent for the layer ${layer.digest} has another digest`,
    );
}

async function* bytesFrom(
  source: LayerSource,
  digest: string,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { body, from } = await readLayer(source, digest, offset, signal);
  let skip = offset - from;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const piece = skip > 0 ? chunk.subarray(Math.min(skip, chunk.length)) : chunk;
      skip -= chunk.length - piece.length;
      if (piece.length > 0) yield piece;
    }
  } catch (error) {
    throw error instanceof ImageError
      ? error
      : new ImageError("unreachable", `the transfer broke: ${(error as Error).message}`, { cause: error });
  } finally {
    body.destroy();
  }
}
