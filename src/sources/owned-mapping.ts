/** One mapping on this server: takes its lease, runs its source as the row says, and ends its transitions. */
import type { Lease } from "../store/lease.ts";
import { MappingContext } from "./context.ts";
import type { ManagerDeps } from "./manager.ts";
import type { Mapping } from "./mapping.ts";
import type { RunningSource, SourceKind } from "./source.ts";
import { deleteMapping, settleMapping } from "./store.ts";

/** Pause after a failure, before it is tried again. */
const ERROR_PAUSE_MS = 1_000;

interface Owner {
  readonly name: string;
  readonly leaseMs: number;
  /** Undefined where the database is this server's alone. */
  readonly servers: { readonly names: readonly string[] } | undefined;
}

interface Run {
  readonly revision: number;
  readonly source: RunningSource;
  readonly context: MappingContext;
  readonly abort: AbortController;
}

export class OwnedMapping {
  readonly #deps: ManagerDeps;
  readonly #kind: SourceKind;
  readonly #uuid: string;
  readonly #owner: Owner;
  #lease: Lease | undefined;
  #run: Run | undefined;
  /** What the row says; undefined where it is gone. */
  #wanted: Mapping | undefined;
  #isLeaving = false;
  #isStale = false;
  #work: Promise<void> | undefined;

  constructor(deps: ManagerDeps, kind: SourceKind, uuid: string, owner: Owner) {
    this.#deps = deps;
    this.#kind = kind;
    this.#uuid = uuid;
    this.#owner = owner;
  }

  /** Does what the row says now; undefined when it is gone. */
  follow(mapping: Mapping | undefined): void {
    this.#wanted = mapping;
    this.#isStale = true;
    this.#work ??= this.#catchUp().finally(() => (this.#work = undefined));
  }

  /** Stops, and lets others have it. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.follow(this.#wanted);
    await this.#work;
  }

  /** Keeps the lease; a source whose lease was lost is stopped. */
  renew(): void {
    if (this.#lease) void this.#keep(this.#lease);
  }

  async #keep(lease: Lease): Promise<void> {
    const { log } = this.#deps;
    const isHeld = await lease.renew().catch((error: unknown) => {
      log.warn("The lease of an event source mapping was not renewed", { uuid: this.#uuid, error });
      return true;
    });
    if (isHeld || this.#lease !== lease) return;
    log.warn("Another server has taken an event source mapping over", { uuid: this.#uuid });
    this.#lease = undefined;
    if (this.#kind.runsOn === "owner") this.#run?.abort.abort();
    this.follow(this.#wanted);
  }

  async #catchUp(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      try {
        await this.#apply(this.#isLeaving ? undefined : this.#wanted);
      } catch (error) {
        this.#deps.log.error("An event source mapping could not be brought to its state", {
          uuid: this.#uuid,
          error,
        });
        this.#deps.clock.after(ERROR_PAUSE_MS, () => this.follow(this.#wanted));
        return;
      }
    }
  }

  async #apply(mapping: Mapping | undefined): Promise<void> {
    if (!mapping) {
      await this.#stop();
      return this.#release();
    }
    if (!mapping.isEnabled && mapping.state === "Disabled" && !this.#run) return this.#release();
    const mayRun = mapping.isEnabled && mapping.state !== "Deleting";
    const owns = await this.#acquire();
    const runsHere = mayRun && (owns || this.#kind.runsOn === "every server");
    if (this.#run && (!runsHere || this.#run.revision !== mapping.revision || this.#run.abort.signal.aborted))
      await this.#stop();
    if (runsHere && !this.#run) this.#start(mapping);
    if (!owns) return;
    if (mapping.state === "Deleting") return this.#delete(mapping);
    await this.#settle(mapping);
    if (!mapping.isEnabled) await this.#release();
  }

  #start(mapping: Mapping): void {
    const abort = new AbortController();
    const { name: owner, servers } = this.#owner;
    const run = { signal: abort.signal, owner, servers: () => servers?.names ?? [owner] };
    const context = new MappingContext(this.#deps, mapping, this.#kind, run);
    const source = this.#kind.start(mapping, context);
    this.#run = { revision: mapping.revision, source, context, abort };
  }

  async #stop(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    run.abort.abort();
    await run.source.stop();
    await run.context.flush();
    this.#run = undefined;
  }

  async #acquire(): Promise<boolean> {
    this.#lease ??= await this.#deps.leases.acquire(
      `sources.mapping.${this.#uuid}`,
      this.#owner.name,
      this.#owner.leaseMs,
    );
    return this.#lease !== undefined;
  }

  async #release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.release();
  }

  /** Ends the transition that the row is in. */
  async #settle(mapping: Mapping): Promise<void> {
    const settled = mapping.isEnabled ? "Enabled" : "Disabled";
    if (mapping.state === settled) return;
    const { database, clock } = this.#deps;
    await database.tx((tx) => settleMapping(tx, mapping, settled, clock.now()));
  }

  async #delete(mapping: Mapping): Promise<void> {
    await this.#deps.database.tx(async (tx) => {
      await this.#kind.forget?.(tx, mapping);
      await deleteMapping(tx, mapping.uuid);
    });
    await this.#release();
  }
}
