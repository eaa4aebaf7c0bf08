/** The content of a batch row: jobs one after another, each its group and its payload behind their lengths. */
import type { BatchedJob } from "../queue.ts";

/** Jobs of a batch at most: one that is claimed is opened as a whole. */
export const BATCH_JOBS_MAX = 256;
/** Bytes of payload from which a batch takes no further job: it is held in memory as a whole when it is opened. */
export const BATCH_BYTES = 256 * 1024;

/** Two lengths of four bytes each. */
const LENGTHS_BYTES = 8;
/** In the place of a group's length: the group is that of the job before. */
const SAME_GROUP = 0xffff_ffff;

/** Splits jobs, in order, into those of one batch each. */
export function* inBatches<T extends BatchedJob>(jobs: readonly T[]): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const job of jobs) {
    batch.push(job);
    bytes += job.payload.length;
    if (batch.length < BATCH_JOBS_MAX && bytes < BATCH_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

export function encodeBatch(jobs: readonly BatchedJob[]): Buffer {
  let size = 0;
  let previous: string | undefined;
  for (const { group, payload } of jobs) {
    size += LENGTHS_BYTES + (group === previous ? 0 : Buffer.byteLength(group)) + payload.length;
    previous = group;
  }
  const content = Buffer.allocUnsafe(size);
  let at = 0;
  previous = undefined;
  for (const { group, payload } of jobs) {
    const groupBytes = group === previous ? 0 : content.write(group, at + LENGTHS_BYTES);
    content.writeUInt32BE(group === previous ? SAME_GROUP : groupBytes, at);
    content.writeUInt32BE(payload.length, at + 4);
    at += LENGTHS_BYTES + groupBytes;
    content.set(payload, at);
    at += payload.length;
    previous = group;
  }
  return content;
}

/** The jobs that {@link encodeBatch} wrote; their payloads are parts of `content`. */
export function decodeBatch(content: Buffer): { group: string; payload: Buffer }[] {
  const jobs: { group: string; payload: Buffer }[] = [];
  let group = "";
  for (let at = 0; at < content.length;) {
    const length = content.readUInt32BE(at);
    const payloadBytes = content.readUInt32BE(at + 4);
    at += LENGTHS_BYTES;
    if (length !== SAME_GROUP) {
      group = content.toString("utf8", at, at + length);
      at += length;
    }
    jobs.push({ group, payload: content.subarray(at, at + payloadBytes) });
    at += payloadBytes;
  }
  return jobs;
}
