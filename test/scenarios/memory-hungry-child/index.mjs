/** Has a child take memory for a while, and answers when the child has ended. */
import { execFileSync } from "node:child_process";

const CHILD = `
  const taken = Buffer.alloc(120 << 20, 1);
  setTimeout(() => taken.length, 1_500);
`;

export const handler = async () => {
  execFileSync(process.execPath, ["-e", CHILD]);
  return process.memoryUsage().rss;
};
