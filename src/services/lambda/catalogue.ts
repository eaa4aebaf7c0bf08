/** Functions as invocations find them: read once, kept until a write says otherwise, so that the warm path reads no database. */
import type { FunctionVersion } from "../../invoke/index.ts";
import type { Database, Transaction } from "../../store/database.ts";
import type { CodeStore } from "./code/code-store.ts";
import { imageToRun } from "./code/images.ts";
import { localFolder } from "./code/local-folders.ts";
import { conflict, snapStartNotReady } from "./errors.ts";
import { layerCodes, referencedCodes } from "./layers.ts";
import { lineageId } from "./lineage.ts";
import { LATEST, functionArn, functionNotFound } from "./names.ts";
import type { FunctionId, FunctionReference } from "./names.ts";
import type { FunctionImages } from "./ports.ts";
import { readAliases } from "./store-aliases.ts";
import type { AliasRow } from "./store-aliases.ts";
import { configQualifier, readEventConfigs } from "./store-event-configs.ts";
import type { EventConfigRow } from "./store-event-configs.ts";
import { readDenies } from "./store-permissions.ts";
import { readRecursiveLoop, readVersions } from "./store.ts";
import type { RecursiveLoop } from "./store.ts";
import type { VersionRow } from "./version-row.ts";

/** Functions kept; the one kept longest goes first. */
const FUNCTIONS_MAX = 10_000;
/** With one database for several servers, another one's writes are seen after this long. */
export const SHARED_AGE_MS_MAX = 1_000;

/** How often a function is read anew because a write came in between. */
const READS_MAX = 3;

interface Snapshot {
  readonly versions: ReadonlyMap<number, VersionRow>;
  readonly aliases: ReadonlyMap<string, AliasRow>;
  readonly eventConfigs: ReadonlyMap<string, EventConfigRow>;
  readonly lineageId: string;
  readonly recursiveLoop: RecursiveLoop;
  /** Whether a policy of the function denies somebody something. */
  readonly denies: boolean;
  readonly invokable: Map<number, FunctionVersion>;
  readonly readAt: number;
}

/** What an invocation of a qualified name runs. */
export interface Target {
  readonly version: FunctionVersion;
  /** `$LATEST` or a number, as X-Amz-Executed-Version has it. */
  readonly executedVersion: string;
  /** The function in the lineage of a trace header. */
  readonly lineageId: string;
  readonly recursiveLoop: RecursiveLoop;
}

interface Deps {
  readonly database: Database;
  readonly code: CodeStore;
  readonly images: FunctionImages | undefined;
  readonly clock: { now(): number };
  readonly ids: { random(): number };
}

export class Catalogue {
  readonly #deps: Deps;
  readonly #snapshots = new Map<string, Snapshot>();
  #changed: (id: FunctionId) => void = () => {};
  /** By deployment: the environments of code in a folder as it was when it was looked at last. */
  readonly #keys = new Map<string, string>();
  #superseded: (key: string) => void = () => {};
  /** Grows with every forgotten function, so that a read that began before is not kept. */
  #epoch = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Finds what runs under a name, by an alias's weights where it has any.
   * @throws ResourceNotFoundException; ResourceConflictException while it is not active.
   */
  async target(reference: FunctionReference): Promise<Target> {
    for (let reads = 1; ; reads++) {
      const epoch = this.#epoch;
      const found = await this.#find(reference).catch((error: Error) => error);
      // A write came in between: what was read may be superseded already, and its code on the way out.
      if (epoch !== this.#epoch && reads < READS_MAX) continue;
      if (found instanceof Error) throw found;
      return found;
    }
  }

  /** How asynchronous events of a name are treated; undefined where nothing is configured. */
  async eventConfig(reference: FunctionReference): Promise<EventConfigRow | undefined> {
    const snapshot = await this.#snapshot(reference);
    return snapshot.eventConfigs.get(configQualifier(reference.qualifier));
  }

  /** To be called within every transaction that changes a function, its versions or its aliases. */
  changes(transaction: Transaction, id: FunctionId): void {
    transaction.onCommit(() => {
      this.#epoch++;
      this.#snapshots.delete(functionArn(id));
      this.#changed(id);
    });
  }

  /** @param listener Called with each function that has changed, once that is committed. */
  onChange(listener: (id: FunctionId) => void): void {
    this.#changed = listener;
  }

  /** Whether some policy of the function denies somebody something. */
  async denies(id: FunctionId): Promise<boolean> {
    return (await this.#snapshot(id)).denies;
  }

  /** The same, where it needs no reading, nobody is denied and nothing is wrong; else undefined. @param arn The function's, without a qualifier. */
  targetNow(reference: FunctionReference, arn: string): Target | undefined {
    const snapshot = this.#snapshots.get(arn);
    const row = snapshot && this.#isFresh(snapshot) ? this.#choose(snapshot, reference) : undefined;
    if (!snapshot || snapshot.denies || row?.state !== "Active") return undefined;
    return this.#isStored(row) ? this.#targetOf(snapshot, row) : undefined;
  }

  async #find(reference: FunctionReference): Promise<Target> {
    const snapshot = await this.#snapshot(reference);
    const row = this.#choose(snapshot, reference);
    if (!row) throw functionNotFound(reference, reference.qualifier);
    if (row.state === "Pending" && row.configuration.snapStart && row.number > 0) throw snapStartNotReady();
    if (row.state !== "Active")
      throw conflict(
        `The operation cannot be performed at this time. The function is currently in the following state: ${row.state}`,
      );
    if (!this.#isStored(row)) await this.#look(snapshot, row);
    return this.#targetOf(snapshot, row);
  }

  /** The key of the execution environments of a deployment that has ended. */
  lastKeyOf(deployment: string): string {
    const key = this.#keys.get(deployment) ?? deployment;
    this.#keys.delete(deployment);
    return key;
  }

  /** @param listener Called with the key of environments whose code has changed in its folder. */
  onSuperseded(listener: (key: string) => void): void {
    this.#superseded = listener;
  }

  #isStored(row: VersionRow): boolean {
    return localFolder((row.serving ?? row).codeSha256) === undefined;
  }

  /** Code in a folder that has changed is another deployment, of which nobody else need know. */
  async #look(snapshot: Snapshot, row: VersionRow): Promise<void> {
    const { deployment, codeSha256 } = row.serving ?? row;
    const key = `${deployment}/${await this.#deps.code.stamp(codeSha256)}`;
    const before = this.#keys.get(deployment);
    if (before === key) return;
    this.#keys.set(deployment, key);
    snapshot.invokable.delete(row.number);
    if (before !== undefined) this.#superseded(before);
  }

  #targetOf(snapshot: Snapshot, row: VersionRow): Target {
    let version = snapshot.invokable.get(row.number);
    if (!version) {
      version = this.#invokable(row);
      snapshot.invokable.set(row.number, version);
    }
    return {
      version,
      executedVersion: versionName(row.number),
      lineageId: snapshot.lineageId,
      recursiveLoop: snapshot.recursiveLoop,
    };
  }

  #choose(snapshot: Snapshot, { qualifier }: FunctionReference): VersionRow | undefined {
    if (qualifier === undefined || qualifier === LATEST) return snapshot.versions.get(0);
    if (/^\d+$/.test(qualifier))
      return Number(qualifier) > 0 ? snapshot.versions.get(Number(qualifier)) : undefined;
    const alias = snapshot.aliases.get(qualifier);
    return alias && snapshot.versions.get(chooseByWeight(alias, this.#deps.ids.random()));
  }

  async #snapshot(id: FunctionId): Promise<Snapshot> {
    const key = functionArn(id);
    const kept = this.#snapshots.get(key);
    if (kept && this.#isFresh(kept)) return kept;
    const epoch = this.#epoch;
    const readAt = this.#deps.clock.now();
    const { database } = this.#deps;
    const [versions, aliases, eventConfigs, recursiveLoop, denies] = await Promise.all([
      readVersions(database, id),
      readAliases(database, id),
      readEventConfigs(database, id),
      readRecursiveLoop(database, id),
      readDenies(database, id),
    ]);
    const snapshot: Snapshot = {
      versions: new Map(versions.map((row) => [row.number, row])),
      aliases: new Map(aliases.map((alias) => [alias.name, alias])),
      eventConfigs: new Map(eventConfigs.map((config) => [config.qualifier, config])),
      lineageId: lineageId(id),
      recursiveLoop: recursiveLoop ?? "Terminate",
      denies,
      invokable: new Map(),
      readAt,
    };
    if (epoch === this.#epoch && versions.length > 0) {
      this.#snapshots.delete(key);
      this.#snapshots.set(key, snapshot);
      if (this.#snapshots.size > FUNCTIONS_MAX)
        this.#snapshots.delete(this.#snapshots.keys().next().value as string);
    }
    return snapshot;
  }

  #isFresh(snapshot: Snapshot): boolean {
    if (this.#deps.database.engine === "sqlite") return true;
    return this.#deps.clock.now() - snapshot.readAt < SHARED_AGE_MS_MAX;
  }

  /** What an invocation of a version would run, were it active. */
  versionOf(row: VersionRow): FunctionVersion {
    return this.#invokable(row);
  }

  #invokable(row: VersionRow): FunctionVersion {
    const { code } = this.#deps;
    const deployed = row.serving ?? row;
    const { configuration, deployment, codeSha256 } = deployed;
    const layers = layerCodes(deployed);
    const objects = referencedCodes(deployed);
    const image = imageToRun(this.#deps.images, codeSha256, configuration);
    return {
      key: this.#keys.get(deployment) ?? deployment,
      account: row.account,
      region: row.region,
      functionName: row.name,
      version: versionName(row.number),
      functionArn: functionArn(row),
      runtime: configuration.runtime,
      handler: configuration.handler,
      memoryMb: configuration.memoryMb,
      timeoutMs: configuration.timeoutSeconds * 1_000,
      ephemeralStorageMb: configuration.ephemeralStorageMb,
      environment: configuration.environment ?? {},
      codeDir: code.folder(codeSha256),
      ...(layers.length > 0 && { optDir: code.layersFolder(layers) }),
      ...(image && { image }),
      holdCode: () => code.holdAll(codeSha256, layers, objects),
      ...(configuration.snapStart && row.number > 0 ? { snapStart: true } : {}),
      roleArn: configuration.role,
      logGroup: configuration.logGroup ?? `/aws/lambda/${row.name}`,
      ...(configuration.jsonLogs
        ? {
            logFormat: "JSON",
            applicationLogLevel: configuration.jsonLogs.application,
            systemLogLevel: configuration.jsonLogs.system,
          }
        : {}),
    };
  }
}

/** The version's name in the API: `$LATEST` for 0. */
export function versionName(number: number): string {
  return number === 0 ? LATEST : String(number);
}

/** The version an alias sends one invocation to; `random` is in [0, 1). */
export function chooseByWeight(alias: Pick<AliasRow, "number" | "weights">, random: number): number {
  let below = 0;
  for (const [number, weight] of Object.entries(alias.weights)) {
    below += weight;
    if (random < below) return Number(number);
  }
  return alias.number;
}
