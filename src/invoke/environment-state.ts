/**
 * The life of an execution environment, the same for our bootstraps and for custom runtimes.
 *
 *             sandbox is up      all ask for work       invocation
 *   booting ─────────────────▶ init ───────────▶ idle ──────────────▶ busy
 *                              │  ▲               ▲                   │ │
 *                              │  │               └── all are back ───┘ │
 *                init failed,  │  │ invocation                          │ time is up, a process ended
 *              time is up      ▼  └────────── failed                    ▼
 *                          resetting ──────────▶   ◀──────────────── resetting
 *
 *   from every state: stopping ────────▶ gone
 *
 * `booting` has no process yet. `init` runs extensions, runtime and static code until all of them ask for work. `busy` lasts
 * from the delivery of an invocation until the runtime, and every extension that heard of it, is back. `resetting` shuts
 * down all that runs and keeps the sandbox with its /tmp; `failed` is empty then, and the next invocation begins with another
 * init, under its own timeout, in another sandbox should that one have ended. `stopping` shuts down for one of the reasons below; `gone` has nothing left on the machine.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */

export type EnvironmentState =
  | "booting"
  | "init"
  | "idle"
  | "busy"
  | "resetting"
  | "failed"
  | "stopping"
  | "gone";

/** Why an environment is reset or ended, in the words of the SHUTDOWN event. */
export type ShutdownReason = "spindown" | "timeout" | "failure";

const NEXT = {
  booting: ["init", "stopping"],
  init: ["idle", "resetting", "stopping"],
  idle: ["busy", "stopping"],
  busy: ["idle", "resetting", "stopping"],
  resetting: ["failed", "stopping"],
  failed: ["init", "stopping"],
  stopping: ["gone"],
  gone: [],
} as const satisfies Record<EnvironmentState, readonly EnvironmentState[]>;

/** The state `to`. @throws when an environment in `from` cannot get there: a bug of ours. */
export function enter(from: EnvironmentState, to: EnvironmentState): EnvironmentState {
  const allowed: readonly EnvironmentState[] = NEXT[from];
  if (!allowed.includes(to)) throw new Error(`an execution environment cannot go from ${from} to ${to}`);
  return to;
}
