/** Sends a layer, or a range of it, from its file. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { ByteRange } from "../../../store/blobs.ts";
import type { Ecr } from "../deps.ts";
import type { LayerRow } from "../store-layers.ts";

/** What a digest names never changes. */
const YEAR_SECONDS = 31_536_000;
const GONE = ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"];

/** @throws BlobNotFound before anything is sent, where the layer has just been removed. */
export async function sendLayer(
  ecr: Pick<Ecr, "files">,
  layer: LayerRow,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const range = readRange(headers.range, layer.bytes);
  const common = {
    "content-type": "application/octet-stream",
    "docker-content-digest": layer.digest,
    "docker-distribution-api-version": "registry/2.0",
    "accept-ranges": "bytes",
    "cache-control": `max-age=${YEAR_SECONDS}`,
    etag: `"${layer.digest}"`,
  };
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${layer.bytes}`, "content-length": 0 }).end();
    return;
  }
  const length = range ? range.end - range.start + 1 : layer.bytes;
  const partly = range && { "content-range": `bytes ${range.start}-${range.end}/${layer.bytes}` };
  const answered = { ...common, ...partly, "content-length": length };
  if (method === "HEAD" || length === 0) {
    response.writeHead(range ? 206 : 200, answered).end();
    return;
  }
  const content = await ecr.files.read(layer.blob_name, range);
  response.writeHead(range ? 206 : 200, answered);
  await pipeline(content, response).catch((error: NodeJS.ErrnoException) => {
    // A caller that has gone has had what it wanted.
    if (!GONE.includes(error.code ?? "")) throw error;
  });
}

/** One range of bytes; undefined, for the whole, where there is none or none that is understood. */
function readRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? "unsatisfiable" : { start: size - suffix, end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}
