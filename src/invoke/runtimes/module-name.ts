/** The module that a file or folder of code is, by its name. */

/** `json` for `json`, `json.py` and `json.cpython-311-x86_64-linux-gnu.so`. */
export function moduleName(file: string): string {
  return file.split(".")[0] ?? file;
}
