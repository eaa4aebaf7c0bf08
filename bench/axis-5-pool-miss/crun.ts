/** `crun run` of a container that does nothing, as the measure of what a sandbox costs. */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why there is no crun to measure; undefined when there is. */
export function crunMissing(): string | undefined {
  try {
    execFileSync("crun", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "there is no crun on this machine; install Debian's package crun";
  }
}

const FOLDERS = ["usr", "lib", "lib64", "bin", "etc", "proc", "dev", "tmp"];
const HOST_FOLDERS = ["/usr", "/lib", "/lib64", "/bin", "/etc"];

export class CrunBundle implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "lambent-bench-crun-"));
  readonly #id = `lambent-bench-${process.pid}`;

  constructor() {
    for (const name of FOLDERS) mkdirSync(join(this.#folder, "rootfs", name), { recursive: true });
    writeFileSync(join(this.#folder, "config.json"), JSON.stringify(bundle(this.#id)));
  }

  /**
   * Milliseconds of one `crun run`. crun refuses a machine that has the cgroups of both versions, so that the second is taken
   * away in a mount namespace of its own; entering that is not counted.
   */
  async measure(): Promise<number> {
    const script =
      "mount --make-rprivate /; umount /sys/fs/cgroup/unified 2>/dev/null; " +
      'a=$(date +%s%N); crun --cgroup-manager=cgroupfs run --bundle "$0" "$1" || exit 1; echo $(( $(date +%s%N) - a ))';
    const { stdout } = await run("unshare", ["-m", "sh", "-c", script, this.#folder, this.#id]);
    return Number(stdout.trim()) / 1e6;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function bundle(id: string): object {
  const shown = HOST_FOLDERS.map((folder) => ({
    destination: folder,
    type: "bind",
    source: folder,
    options: ["rbind", "ro"],
  }));
  const none: string[] = [];
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: ["/bin/true"],
      env: ["PATH=/usr/bin:/bin"],
      cwd: "/",
      capabilities: { bounding: none, effective: none, permitted: none },
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "fn",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] },
      ...shown,
    ],
    linux: {
      namespaces: ["pid", "ipc", "uts", "mount", "network"].map((type) => ({ type })),
      resources: { memory: { limit: 134_217_728 }, pids: { limit: 1_024 } },
      cgroupsPath: `/${id}`,
    },
  };
}
