/** Where the host keeps its C library and that library's neighbours. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Debian and its kin have a folder for each architecture; the names are those of dpkg-architecture. */
const MULTIARCH: Partial<Record<NodeJS.Architecture, string>> = {
  arm64: "aarch64-linux-gnu",
  x64: "x86_64-linux-gnu",
};

/**
 * The folder that stands for AWS's /lib64, the first of LD_LIBRARY_PATH with libraries in it: nothing that a layer brings comes before
 * the system's. Undefined where /lib64 is that folder itself (Fedora, Amazon Linux), or there is none (Alpine).
 */
export function systemLibraries(): string | undefined {
  const name = MULTIARCH[process.arch];
  const folder = join("/usr/lib", name ?? "");
  return name !== undefined && existsSync(join(folder, "libc.so.6")) ? folder : undefined;
}
