/** Writes to /tmp until it is full, or as much as it is told to, and removes it again. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";

const chunk = Buffer.alloc(1 << 20, 7);

export const handler = async ({ megabytes = Infinity }) => {
  const file = openSync("/tmp/fill", "w");
  let written = 0;
  try {
    while (written < megabytes * chunk.length) written += writeSync(file, chunk);
    return { written: written / chunk.length };
  } catch (error) {
    return { written: Math.floor(written / chunk.length), code: error.code };
  } finally {
    closeSync(file);
    rmSync("/tmp/fill");
  }
};
