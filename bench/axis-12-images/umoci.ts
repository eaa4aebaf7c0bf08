/** `umoci unpack && runc run` of an image in a folder, as the measure of what an image's first start costs. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ANSWER } from "../contenders/handlers.ts";

const run = promisify(execFile);

/** Why there is nothing to measure; undefined when there is. */
export function umociMissing(): string | undefined {
  try {
    for (const program of ["umoci", "runc"]) execFileSync(program, ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "there is no umoci or no runc on this machine; install Debian's packages umoci and runc";
  }
}

/** Milliseconds from nothing to the program's answer. @param layout The folder of the image. */
export async function unpackAndRun(layout: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-umoci-"));
  const bundle = join(folder, "bundle");
  try {
    const startedAt = performance.now();
    await run("umoci", ["unpack", "--image", `${layout}:latest`, bundle]);
    // It writes a configuration for a terminal, which nobody has here.
    const file = join(bundle, "config.json");
    const config = JSON.parse(readFileSync(file, "utf8")) as { process: { terminal: boolean } };
    config.process.terminal = false;
    writeFileSync(file, JSON.stringify(config));
    const { stdout } = await run("runc", ["run", "--bundle", bundle, `lambent-bench-${process.pid}`]);
    const took = performance.now() - startedAt;
    if (!stdout.includes(ANSWER)) throw new Error(`runc ran the image, and it answered ${stdout}`);
    return took;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
