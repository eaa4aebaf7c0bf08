/** The modules that files and folders of code are, by their names. */
import { readdirSync } from "node:fs";

/** `json` for `json`, `json.py`, `json.cpython-311-x86_64-linux-gnu.so` and the gem `json-2.9.1`. */
export function moduleName(file: string): string {
  return file.split(/\.|-\d/)[0] ?? file;
}

/** What lies in a folder of code; nothing where there is none. Read from this thread: such folders are small, and a cold start waits for it. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
