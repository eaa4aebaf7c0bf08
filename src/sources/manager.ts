/** Runs the mappings that this server owns, and takes over those that nobody runs any more. */
import { every } from "../kit/clock.ts";
import type { Signals } from "../store/signals.ts";
import type { ContextDeps } from "./context.ts";
import type { Mapping } from "./mapping.ts";
import { MAPPINGS_TOPIC } from "./mappings.ts";
import { OwnedMapping } from "./owned-mapping.ts";
import { Servers } from "./servers.ts";
import type { SourceKind } from "./source.ts";
import { readMappings } from "./store.ts";

/** With several servers, another one takes over after this long. */
const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
/** A data directory belongs to one server, so nobody else could take over, and what a killed server held is this one's. */
const SOLE_OWNER = "the server of this data directory";
const SOLE_LEASE_MS = 100 * 365 * 86_400_000;
/** Pause after the mappings could not be read. */
const ERROR_PAUSE_MS = 1_000;

export interface ManagerDeps extends ContextDeps {
  readonly signals: Signals;
  readonly kinds: Readonly<Record<string, SourceKind>>;
}

export class Manager {
  readonly #deps: ManagerDeps;
  readonly #owner: { readonly name: string; readonly leaseMs: number; readonly servers: Servers | undefined };
  readonly #abort = new AbortController();
  readonly #owned = new Map<string, OwnedMapping>();
  #loop: Promise<void> | undefined;
  #endRenewing: (() => void) | undefined;
  #wake: () => void = () => {};

  constructor(deps: ManagerDeps) {
    this.#deps = deps;
    const name = deps.database.engine === "sqlite" ? SOLE_OWNER : deps.ids.uuid();
    this.#owner =
      name === SOLE_OWNER
        ? { name, leaseMs: SOLE_LEASE_MS, servers: undefined }
        : { name, leaseMs: LEASE_MS, servers: new Servers(deps, name) };
  }

  start(): void {
    this.#loop ??= this.#run();
    if (this.#owner.servers) this.#endRenewing = every(this.#deps.clock, RENEW_MS, () => this.#renew());
  }

  /** Takes nothing more, and waits at most `graceMs` for what is in flight. */
  async stop(graceMs: number): Promise<void> {
    this.#abort.abort();
    this.#endRenewing?.();
    this.#wake();
    await this.#loop;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await this.#owner.servers?.stop();
    await Promise.race([Promise.all([...this.#owned.values()].map((one) => one.leave())), grace]);
    clearTimeout(timer);
    if (this.#owner.servers) await this.#tellOthers();
  }

  /** What was let go need not wait for the others to look. */
  async #tellOthers(): Promise<void> {
    const { database, signals, log } = this.#deps;
    await database
      .tx((tx) => signals.send(tx, MAPPINGS_TOPIC))
      .catch((error: unknown) =>
        log.warn("Other servers were not told of mappings that were let go", { error }),
      );
  }

  async #run(): Promise<void> {
    const { signals, database, log, clock } = this.#deps;
    const { signal } = this.#abort;
    await this.#owner.servers?.start();
    while (!signal.aborted) {
      const round = new AbortController();
      this.#wake = () => round.abort();
      const changed = signals.wait(MAPPINGS_TOPIC, AbortSignal.any([signal, round.signal]));
      try {
        this.#reconcile(await readMappings(database));
      } catch (error) {
        log.error("The event source mappings could not be read", { error });
        clock.after(ERROR_PAUSE_MS, () => round.abort());
      }
      await changed;
    }
  }

  #reconcile(mappings: readonly Mapping[]): void {
    const seen = new Set(mappings.map(({ uuid }) => uuid));
    for (const mapping of mappings) {
      let owned = this.#owned.get(mapping.uuid);
      const kind = this.#deps.kinds[mapping.kind];
      if (!owned && kind) {
        owned = new OwnedMapping(this.#deps, kind, mapping.uuid, this.#owner);
        this.#owned.set(mapping.uuid, owned);
      }
      owned?.follow(mapping);
    }
    for (const [uuid, owned] of this.#owned)
      if (!seen.has(uuid)) {
        this.#owned.delete(uuid);
        owned.follow(undefined);
      }
  }

  /** Renews what is held, and looks for what others have let go. */
  #renew(): void {
    for (const owned of this.#owned.values()) owned.renew();
    this.#wake();
  }
}
