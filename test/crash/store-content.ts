/** What the crash test's writer writes, and its checker expects. */
import { createHash } from "node:crypto";
import { sql } from "../../src/store/index.ts";
import type { Migration } from "../../src/store/index.ts";

export const migrations: readonly Migration[] = [
  {
    name: "001-halves",
    sql: "CREATE TABLE half (id text NOT NULL, side text NOT NULL, filler blob, PRIMARY KEY (id, side))",
  },
];

export const INSERT_HALF = sql("crash.insert-half", "INSERT INTO half (id, side, filler) VALUES (?, ?, ?)");

/** Bytes that follow from the blob's name, 1 to 60 KB of them. */
export function blobContent(name: string): Buffer {
  const seed = createHash("sha256").update(name).digest();
  return Buffer.alloc(1_000 + (seed.readUInt16BE(0) % 60_000), seed);
}

/** A version of the blob that is written again and again: its first bytes tell the rest. */
export function rewrittenContent(turn: number): Buffer {
  return Buffer.alloc(20_000 + (turn % 50) * 100, turn % 50);
}
