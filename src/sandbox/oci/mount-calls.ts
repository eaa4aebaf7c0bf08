/** The few mounts of the cold path: by the C library where this Node can call it (microseconds), else by mount(8) (milliseconds). */
import { runProgram, tryProgram } from "../run-program.ts";

export interface MountCalls {
  /** Binds a folder or a file, nosuid and nodev; what is mounted at `target` later shows wherever it is bound to from here. */
  bindShared(folder: string): Promise<void>;
  /**
   * Binds `source` at `target` in one step, so that nobody ever sees it otherwise: read-only, nosuid and nodev.
   * @param stage An existing file or folder, of the same kind as `source`, on which nobody else mounts.
   */
  bind(source: string, target: string, stage: string): Promise<void>;
  /** Unmounts `target` and all below it, as soon as nobody uses it. One that is not mounted is no error. */
  detach(target: string): Promise<void>;
}

/** The calls of this machine. */
export function mountCalls(): MountCalls {
  return libraryCalls() ?? programCalls;
}

// From linux/mount.h.
const MS_RDONLY = 1n;
const MS_NOSUID = 2n;
const MS_NODEV = 4n;
const MS_REMOUNT = 32n;
const MS_BIND = 4_096n;
const MS_PRIVATE = 262_144n;
const MS_SHARED = 1_048_576n;
const MNT_DETACH = 2;

type Mount = (source: string, target: string, type: string, flags: bigint, data: bigint) => number;

/** mount(2) by node:ffi; undefined where Node has none of it (before 26), or no such C library. */
function libraryCalls(): MountCalls | undefined {
  const calls = loadLibrary();
  if (calls === undefined) return undefined;
  /** What the kernel refuses is tried once more by the program, which says for people why. */
  const mount = async (source: string, target: string, flags: bigint, otherwise: readonly string[]) => {
    if (calls.mount(source, target, "none", flags, 0n) !== 0) await runProgram("mount", otherwise);
  };
  return {
    async bindShared(folder) {
      await mount(folder, folder, MS_BIND, ["--bind", folder, folder]);
      await mount("none", folder, MS_PRIVATE, ["--make-private", folder]);
      await mount("none", folder, MS_SHARED, ["--make-shared", folder]);
    },
    async bind(source, target, stage) {
      const flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_RDONLY;
      await mount(source, stage, MS_BIND, ["--bind", source, stage]);
      try {
        await mount("none", stage, flags, ["-o", READ_ONLY, stage]);
        await mount(stage, target, MS_BIND, ["--bind", stage, target]);
      } finally {
        calls.detach(stage);
      }
    },
    detach: (target) => Promise.resolve(calls.detach(target)),
  };
}

function loadLibrary(): { mount: Mount; detach: (target: string) => void } | undefined {
  const ffi = withoutExperimentalWarning(() => process.getBuiltinModule("node:ffi"));
  if (ffi === undefined) return undefined;
  try {
    const { functions } = ffi.dlopen(null, {
      mount: { arguments: ["string", "string", "string", "uint64", "pointer"], return: "int32" },
      umount2: { arguments: ["string", "int32"], return: "int32" },
    });
    return {
      mount: functions.mount,
      detach: (target) => void functions.umount2(target, MNT_DETACH),
    };
  } catch {
    // A Node that was built without it, or that may not use it.
    return undefined;
  }
}

/** Node warns once that node:ffi may change. That is for us to know, whose fallback is tested too, not for who starts the server. */
function withoutExperimentalWarning<T>(load: () => T): T {
  const emitWarning = process.emitWarning.bind(process);
  const quiet = (warning: string | Error, type?: string) => {
    if (type !== "ExperimentalWarning") emitWarning(warning, type);
  };
  Object.assign(process, { emitWarning: quiet });
  try {
    return load();
  } finally {
    Object.assign(process, { emitWarning });
  }
}

const READ_ONLY = "remount,bind,nosuid,nodev,ro";

const BIND = `mount --bind "$1" "$3" && mount -o ${READ_ONLY} "$3" && mount --bind "$3" "$2"; code=$?; umount -l "$3"; exit $code`;

/** The same by util-linux or busybox. */
export const programCalls: MountCalls = {
  async bindShared(folder) {
    const script = `mount --bind "$1" "$1" && mount --make-private "$1" && mount --make-shared "$1"`;
    await runProgram("/bin/sh", ["-c", script, "sh", folder]);
  },
  async bind(source, target, stage) {
    await runProgram("/bin/sh", ["-c", BIND, "sh", source, target, stage]);
  },
  async detach(target) {
    await tryProgram("umount", ["-l", target]);
  },
};
