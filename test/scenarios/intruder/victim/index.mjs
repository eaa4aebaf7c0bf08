/** Has a secret in its code, in its environment and in /tmp: in-the-code-0b7e. */
import { writeFileSync } from "node:fs";

export const handler = async ({ secret }) => {
  writeFileSync("/tmp/secret", secret);
  return process.env.SECRET;
};
