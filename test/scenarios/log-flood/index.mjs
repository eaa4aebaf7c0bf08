/** Writes as much as it can for a while, at least so much, in every way there is; answers how many bytes and lines that were, and where. */
import { writeSync } from "node:fs";

const LONG = Buffer.from(`${"x".repeat(65_535)}\n`);
const SHORT = Buffer.from("\n".repeat(65_536));

/** All of a chunk; a full pipe takes it later. */
function write(descriptor, chunk) {
  for (let done = 0; done < chunk.length;)
    try {
      done += writeSync(descriptor, chunk, done);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  return chunk.length;
}

export const handler = async ({ ms, bytesMin }, { logStreamName }) => {
  let [bytes, lines] = [0, 0];
  for (const until = Date.now() + ms; Date.now() < until || bytes < bytesMin;)
    for (const descriptor of [1, 2]) {
      bytes += write(descriptor, LONG) + write(descriptor, SHORT);
      lines += 1 + SHORT.length;
    }
  return { bytes, lines, logStreamName };
};
