/** What every root made of an image has, whatever the image holds: places for the sandbox's own mounts. */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const FOLDERS = ["proc", "dev", "sys", "tmp", "run/lambent", "run/supervisor"];
const FILES = ["etc/hosts", "etc/resolv.conf"];

/** Makes the folder that lies on top of every image's layers. */
export async function makeMountPoints(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const name of FOLDERS) await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
  for (const name of FILES) {
    await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o755 });
    await writeFile(join(folder, name), "");
  }
  // Whatever the server's umask is.
  for (const name of ["", "run", "etc", ...FOLDERS]) await chmod(join(folder, name), 0o755);
}
