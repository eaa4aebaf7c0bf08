/** The few mounts of the cold path: by the C library where this Node can call it (microseconds), else by mount(8) (milliseconds). */
import { closeSync } from "node:fs";
import { nodeFfi } from "../node-ffi.ts";
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

/** The calls of this machine. @param attaches False: as where the kernel or the C library knows no mounts without a stage. */
export function mountCalls(attaches = true): MountCalls {
  return libraryCalls(attaches) ?? programCalls;
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

// From fcntl.h and linux/mount.h, for the calls of Linux 5.12 that need no stage.
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0x80000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_RDONLY = 1n;
const MOUNT_ATTR_NOSUID = 2n;
const MOUNT_ATTR_NODEV = 4n;

type Mount = (source: string, target: string, type: string, flags: bigint, data: bigint) => number;

/** mount(2) by node:ffi; undefined where Node has none of it (before 26), or no such C library. */
function libraryCalls(attaches: boolean): MountCalls | undefined {
  const calls = loadLibrary();
  if (calls === undefined) return undefined;
  const attach = attaches ? calls.attach : undefined;
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
      if (attach?.(source, target)) return;
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

interface Library {
  readonly mount: Mount;
  readonly detach: (target: string) => void;
  /** Undefined where the library is older than glibc 2.36. */
  readonly attach: Attach | undefined;
}

function loadLibrary(): Library | undefined {
  const ffi = nodeFfi();
  if (ffi === undefined) return undefined;
  try {
    const { functions } = ffi.dlopen(null, {
      mount: { arguments: ["string", "string", "string", "uint64", "pointer"], return: "int32" },
      umount2: { arguments: ["string", "int32"], return: "int32" },
    });
    return {
      mount: functions.mount,
      detach: (target) => void functions.umount2(target, MNT_DETACH),
      attach: attachCall(ffi),
    };
  } catch {
    // A Node that was built without it, or that may not use it.
    return undefined;
  }
}

/**
 * Binds without a stage: a third of the time, since taking a stage down waits for every processor. False where the kernel is too old,
 * or refuses.
 */
type Attach = (source: string, target: string) => boolean;

function attachCall(ffi: NonNullable<ReturnType<typeof nodeFfi>>): Attach | undefined {
  const calls = attachLibrary(ffi);
  if (calls === undefined) return undefined;
  const readOnly = attributes(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
  return (source, target) => {
    const tree = calls.open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return false;
    try {
      return (
        calls.mount_setattr(tree, "", AT_EMPTY_PATH, readOnly, BigInt(readOnly.length)) === 0 &&
        calls.move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) === 0
      );
    } finally {
      // A tree that was not attached goes with its descriptor.
      closeSync(tree);
    }
  };
}

/** A struct mount_attr: what to set, what to clear, propagation, user namespace. */
function attributes(flags: bigint): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(flags);
  return bytes;
}

function attachLibrary(ffi: NonNullable<ReturnType<typeof nodeFfi>>) {
  try {
    return ffi.dlopen(null, {
      open_tree: { arguments: ["int32", "string", "uint32"], return: "int32" },
      mount_setattr: { arguments: ["int32", "string", "uint32", "buffer", "uint64"], return: "int32" },
      move_mount: { arguments: ["int32", "string", "int32", "string", "uint32"], return: "int32" },
    }).functions;
  } catch {
    return undefined;
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
