/**
 * The extensions of one life of an execution environment, and where each stands.
 *
 *                 register             next                  event
 *   Started ──────────────▶ Registered ───▶ Ready ─────────────────────▶ Running
 *      │                        │  │         │ ▲                          │ │ │
 *      │ cannot be run          │  │         │ └──────────── next ────────┘ │ │
 *      ▼                        │  └─────────┴─────────┬────────────────────┘ │ process ends after SHUTDOWN
 *   LaunchError                 │ init/error           │ exit/error           ▼
 *                               ▼                      ▼           Exited, ShutdownFailed
 *                           InitError              ExitError
 *
 * An external extension is a program of its own and begins as Started; an internal one lives in the runtime's process and
 * begins by registering. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 */
import type { Ids } from "../../kit/id.ts";
import { extensionsMax } from "../limits.ts";

export type ExtensionEvent = "INVOKE" | "SHUTDOWN";

export type ExtensionState =
  | "Started"
  | "Registered"
  | "Ready"
  | "Running"
  | "InitError"
  | "ExitError"
  | "ShutdownFailed"
  | "Exited"
  | "LaunchError";

const NEXT = {
  Started: ["Registered", "LaunchError"],
  Registered: ["Ready", "InitError", "ExitError"],
  Ready: ["Running", "ExitError"],
  Running: ["Ready", "ExitError", "Exited", "ShutdownFailed"],
  InitError: [],
  ExitError: [],
  ShutdownFailed: [],
  Exited: [],
  LaunchError: [],
} as const satisfies Record<ExtensionState, readonly ExtensionState[]>;

/** What an extension is told, and how: a JSON document in answer to its `event/next`. */
export type Poll = (event: object) => void;

export interface Extension {
  readonly id: string;
  readonly name: string;
  readonly isExternal: boolean;
  readonly state: ExtensionState;
  readonly events: readonly ExtensionEvent[];
  /** Why it failed, in its own words or the platform's. */
  readonly errorType?: string;
}

export interface ExtensionListener {
  /** Every external extension has registered. */
  registered(): void;
  /** Every extension waits for its next event. */
  ready(): void;
  /** An extension said that it cannot go on; its process is expected to end. */
  failed(extension: Extension, errorType: "Extension.InitError" | "Extension.ExitError"): void;
}

/** A request that AWS answers with 403. */
export class ExtensionError extends Error {
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.name = "ExtensionError";
    this.errorType = errorType;
  }
}

interface Entry {
  readonly id: string;
  readonly name: string;
  readonly isExternal: boolean;
  state: ExtensionState;
  events: readonly ExtensionEvent[];
  errorType?: string;
  poll?: Poll;
  /** An event that came while it was not waiting for one. */
  pending?: object;
}

export class ExtensionSet {
  readonly #ids: Ids;
  readonly #listener: ExtensionListener;
  readonly #entries: Entry[] = [];
  #isOpen = true;

  constructor(ids: Ids, listener: ExtensionListener) {
    this.#ids = ids;
    this.#listener = listener;
  }

  get size(): number {
    return this.#entries.length;
  }

  get list(): readonly Extension[] {
    return this.#entries;
  }

  get hasExternal(): boolean {
    return this.#entries.some((entry) => entry.isExternal);
  }

  /** Whether each of them waits for its next event. */
  get areReady(): boolean {
    return this.#entries.every((entry) => entry.state === "Ready");
  }

  /** An external extension is about to be started. @throws ExtensionError when there are too many. */
  expect(name: string): void {
    const entry = this.#add(name, true, "Started");
    if (this.#entries.length <= extensionsMax) return;
    this.launchFailed(name, "TooManyExtensions");
    throw tooMany(entry.name);
  }

  launchFailed(name: string, errorType: "PermissionDenied" | "TooManyExtensions" | "UnknownError"): void {
    const entry = this.#entries.find((each) => each.name === name && each.isExternal);
    if (entry?.state !== "Started") return;
    entry.errorType = errorType;
    this.#enter(entry, "LaunchError");
  }

  /** @throws ExtensionError. */
  register(name: string, events: readonly ExtensionEvent[]): Extension {
    const known = this.#entries.find((entry) => entry.name === name);
    if (known && !known.isExternal)
      throw new ExtensionError(
        "Extension.InvalidExtensionState",
        "Extension with this name already registered",
      );
    const entry = known ?? this.#addInternal(name);
    this.#enter(entry, "Registered");
    entry.events = [...new Set(events)];
    if (entry.isExternal && this.#entries.every((each) => each.state !== "Started"))
      this.#listener.registered();
    return entry;
  }

  /** No more extensions from now on: the runtime is ready. */
  close(): void {
    this.#isOpen = false;
  }

  /** @throws ExtensionError when there is none with this identifier. */
  find(id: string): Extension {
    return this.#find(id);
  }

  /** The extension waits for its next event; `poll` is called once with it. @throws ExtensionError. */
  next(id: string, poll: Poll): void {
    const entry = this.#find(id);
    // An extension whose connection broke asks again.
    const isAgain = entry.state === "Ready" && !entry.poll;
    if (!isAgain) this.#enter(entry, "Ready");
    const { pending } = entry;
    if (pending) {
      delete entry.pending;
      this.#enter(entry, "Running");
      poll(pending);
      return;
    }
    entry.poll = poll;
    if (!isAgain && this.areReady) this.#listener.ready();
  }

  /** The connection on which it waited is gone. */
  abandon(id: string, poll: Poll): void {
    const entry = this.#entries.find((each) => each.id === id);
    if (entry?.poll === poll) delete entry.poll;
  }

  /** @throws ExtensionError. */
  fail(id: string, state: "InitError" | "ExitError", errorType: string): void {
    const entry = this.#find(id);
    // Told again, the first word counts.
    if (entry.state === state) return;
    this.#enter(entry, state);
    entry.errorType = errorType;
    this.#listener.failed(entry, `Extension.${state}`);
  }

  /** Gives an event to everyone who registered for it, and counts them. */
  send(kind: ExtensionEvent, event: object): number {
    let count = 0;
    for (const entry of this.#entries) {
      if (!entry.events.includes(kind)) continue;
      count += 1;
      this.#give(entry, event);
    }
    return count;
  }

  /** The process of an external extension ended: while it was shut down, by itself or killed. */
  ended(name: string, isClean: boolean): void {
    const entry = this.#entries.find((each) => each.name === name && each.isExternal);
    if (entry?.state === "Running") this.#enter(entry, isClean ? "Exited" : "ShutdownFailed");
  }

  #give(entry: Entry, event: object): void {
    const { poll } = entry;
    if (entry.state !== "Ready" || !poll) {
      entry.pending = event;
      return;
    }
    delete entry.poll;
    this.#enter(entry, "Running");
    poll(event);
  }

  #addInternal(name: string): Entry {
    if (!this.#isOpen)
      throw new ExtensionError("Extension.RegistrationClosed", "Extension registration closed already");
    if (this.#entries.length >= extensionsMax) throw tooMany(name);
    return this.#add(name, false, "Started");
  }

  #add(name: string, isExternal: boolean, state: ExtensionState): Entry {
    const entry: Entry = { id: this.#ids.uuid(), name, isExternal, state, events: [] };
    this.#entries.push(entry);
    return entry;
  }

  #find(id: string): Entry {
    const entry = this.#entries.find((each) => each.id === id);
    if (!entry) throw new ExtensionError("Extension.UnknownExtensionIdentifier", `Unknown extension ${id}`);
    return entry;
  }

  #enter(entry: Entry, state: ExtensionState): void {
    const allowed: readonly ExtensionState[] = NEXT[entry.state];
    if (!allowed.includes(state))
      throw new ExtensionError(
        "Extension.InvalidExtensionState",
        `State transition from ${entry.state} to ${state} failed for extension ${entry.name}. Error: State transition is not allowed`,
      );
    entry.state = state;
  }
}

function tooMany(name: string): ExtensionError {
  return new ExtensionError(
    "Extension.TooManyExtensions",
    `Extension limit (${extensionsMax}) reached: ${name} is one too many`,
  );
}
