/** Reads whatever it can reach and tells where it found what is not its own. */
import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Folders of the system's, and what has no content. */
const PASSED_OVER = new Set([
  "/usr",
  "/lib",
  "/lib64",
  "/bin",
  "/sbin",
  "/var/lang",
  "/var/runtime",
  "/proc",
  "/sys",
  "/dev",
]);
const FILE_BYTES_MAX = 1 << 20;
/** What a process shows of itself. */
const PROCESS_FILES = ["environ", "cmdline", "maps", "root/tmp", "cwd", "root/var/task"];

export const handler = async ({ backwards, paths }) => {
  const secret = backwards.split("").reverse().join("");
  const found = [];
  search("/", secret, found);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    for (const name of PROCESS_FILES) search(join("/proc", pid, name), secret, found);
  return { found, readable: paths.filter(isReadable) };
};

function search(path, secret, found) {
  if (PASSED_OVER.has(path)) return;
  try {
    const info = lstatSync(path);
    if (info.isDirectory()) for (const name of readdirSync(path)) search(join(path, name), secret, found);
    else if (info.isFile() && info.size <= FILE_BYTES_MAX && readFileSync(path).includes(secret))
      found.push(path);
  } catch {
    // Not for us, then.
  }
}

function isReadable(path) {
  try {
    if (lstatSync(path).isDirectory()) readdirSync(path);
    else readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
