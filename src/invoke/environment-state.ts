/**
 * The life of an execution environment, the same for our bootstraps and for custom runtimes.
 *
 *              sandbox is up       init ended          invocation
 *   booting ──────────────────▶ init ─────▶ idle ──────────────▶ busy
 *      │                         │ ▲         │ ▲                  │
 *      │                         │ └─────────┘ └─ runtime is back ┘
 *      │                         │  init again
 *      └───────────────┬─────────┴────────────┬───────────────────┘
 *                      ▼                      ▼
 *                   stopping ─────────────▶ gone
 *
 * `booting` has no process yet; `init` runs the function's static code; `idle` has ended its init phase, well or not: one
 * that failed is run again when the first invocation comes; `busy` lasts from the delivery of an invocation until the
 * runtime asks for the next one; `stopping` has been told to end or found dead; `gone` has nothing left on the machine.
 */

export type EnvironmentState = "booting" | "init" | "idle" | "busy" | "stopping" | "gone";

const NEXT = {
  booting: ["init", "stopping"],
  init: ["idle", "stopping"],
  idle: ["busy", "init", "stopping"],
  busy: ["idle", "stopping"],
  stopping: ["gone"],
  gone: [],
} as const satisfies Record<EnvironmentState, readonly EnvironmentState[]>;

/** The state `to`. @throws when an environment in `from` cannot get there: a bug of ours. */
export function enter(from: EnvironmentState, to: EnvironmentState): EnvironmentState {
  const allowed: readonly EnvironmentState[] = NEXT[from];
  if (!allowed.includes(to)) throw new Error(`an execution environment cannot go from ${from} to ${to}`);
  return to;
}
