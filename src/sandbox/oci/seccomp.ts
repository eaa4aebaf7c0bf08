/** Turns the profile into the `linux.seccomp` member of an OCI configuration. */
import { ALLOWED, ALLOWED_WHEN, REFUSED, REFUSED_WHEN } from "./seccomp-profile.ts";

const EPERM = 1;
const ENOSYS = 38;

/** Only the machine's own instruction set is listed, so that 32-bit calls, which a filter sees under other numbers, kill the caller. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
};

/**
 * What is not listed does not exist (ENOSYS): at any other error programs would not fall back to what they did before it existed. gVisor
 * knows no other default than EPERM; to leave a call to a tracer, when there is none and can be none, is ENOSYS there and on Linux.
 */
const NOT_THERE = {
  native: { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: ENOSYS },
  gvisor: { defaultAction: "SCMP_ACT_TRACE" },
} as const;

/** The filter for this machine; undefined on an instruction set that we have not written one for. */
export function seccompFilter(
  kernel: keyof typeof NOT_THERE = "native",
  arch: NodeJS.Architecture = process.arch,
): object | undefined {
  const architecture = ARCHITECTURES[arch];
  if (architecture === undefined) return undefined;
  return {
    ...NOT_THERE[kernel],
    architectures: [architecture],
    syscalls: [
      { names: ALLOWED.flatMap((group) => group.names), action: "SCMP_ACT_ALLOW" },
      ...ALLOWED_WHEN.map(({ name, rules }) => ({ names: [name], action: "SCMP_ACT_ALLOW", args: rules })),
      ...REFUSED_WHEN.map(({ name, rules }) => ({
        names: [name],
        action: "SCMP_ACT_ERRNO",
        errnoRet: EPERM,
        args: rules,
      })),
      { names: REFUSED.flatMap((group) => group.names), action: "SCMP_ACT_ERRNO", errnoRet: EPERM },
    ],
  };
}
