/** Takes versions from Pending to Active and updates from InProgress to Successful; what a stopped server left, the next finishes. */
import { AwsError } from "../../aws/errors.ts";
import { SnapshotFailed } from "../../invoke/index.ts";
import type { Invoker, Runtimes } from "../../invoke/index.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import { ImageError } from "../../sandbox/index.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Catalogue } from "./catalogue.ts";
import type { CodeStore } from "./code/code-store.ts";
import { imageOf } from "./code/image-code.ts";
import { imageFailure } from "./code/images.ts";
import { layerCodes, referencedCodes } from "./layers.ts";
import { functionArn } from "./names.ts";
import { readVersion, saveVersion } from "./store.ts";
import { newestVersions, readSnapshotted, readUnfinished } from "./store-lists.ts";
import type { Deployed, VersionRow } from "./version-row.ts";

/** Longest StateReason kept, in characters. */
const REASON_CHARS_MAX = 1_000;
/** Versions for whose first invocation a server that starts prepares. */
const PREPARED_MAX = 100;

interface Deps {
  readonly database: Database;
  readonly code: CodeStore;
  readonly catalogue: Catalogue;
  readonly runtimes: Pick<Runtimes, "install">;
  readonly invoker: Invoker;
  readonly ids: Ids;
  readonly log: Log;
}

export class Deployments {
  readonly #deps: Deps;
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Finishes committed rows in the background, in order. */
  begin(...rows: VersionRow[]): void {
    if (this.#stopped) return;
    const work = (async () => {
      for (const row of rows) await this.#finish(row);
    })().catch((error: unknown) => this.#deps.log.error("A deployment could not be finished", { error }));
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  /** Continues what was unfinished when the last server ended, and lets the data path prepare for the newest functions. */
  async resume(): Promise<void> {
    const { database, invoker } = this.#deps;
    await invoker.keepSnapshots(await readSnapshotted(database));
    const rows = await readUnfinished(database);
    for (const row of rows) this.begin(row);
    const newest = await newestVersions(database, PREPARED_MAX);
    for (const row of newest.reverse()) invoker.prepare(row.configuration);
  }

  /** Ends the environments of what no longer runs, and removes its code when nothing else uses it. */
  retire(...deployed: readonly Deployed[]): void {
    const work = (async () => {
      for (const one of deployed) {
        await this.#deps.invoker.retire(this.#deps.catalogue.lastKeyOf(one.deployment));
        for (const code of [one.codeSha256, ...layerCodes(one)]) await this.#deps.code.release(code);
      }
    })().catch((error: unknown) =>
      this.#deps.log.error("A superseded version could not be retired", { error }),
    );
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  /** Nothing new begins; waits at most `graceMs` for what runs. What is unfinished then, the next server finishes. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([Promise.all(this.#running), grace]);
    clearTimeout(timer);
  }

  async #finish(row: VersionRow): Promise<void> {
    let failure: Failure | undefined;
    try {
      const { runtime, handler, memoryMb, role: roleArn } = row.configuration;
      await this.#deps.runtimes.install(runtime, handler);
      this.#deps.invoker.prepare({
        runtime,
        handler,
        memoryMb,
        session: { roleArn, functionName: row.name },
      });
      (await this.#deps.code.holdAll(row.codeSha256, layerCodes(row), referencedCodes(row)))();
      if (row.configuration.snapStart && row.number > 0)
        await this.#deps.invoker.snapshot(this.#deps.catalogue.versionOf(row));
    } catch (error) {
      this.#deps.log.warn("A function could not be deployed", { function: functionArn(row), error });
      const { code, reason } = failureOf(row, error);
      failure = { code, reason: reason.slice(0, REASON_CHARS_MAX) };
    }
    // Stopped meanwhile (an installation can take minutes): the next server begins again.
    if (this.#stopped) return;
    const superseded = await this.#deps.database.tx(async (tx) => {
      const current = await readVersion(tx, row, row.number);
      if (!current || current.deployment !== row.deployment) return undefined;
      await saveVersion(tx, { ...finished(current, failure), revision: this.#deps.ids.uuid() });
      this.#deps.catalogue.changes(tx, row);
      return failure ? undefined : (current.serving ?? undefined);
    });
    if (superseded) this.retire(superseded);
  }
}

function isCodeGone(error: unknown): error is AwsError {
  return error instanceof AwsError && error.code === "InvalidZipFileException";
}

interface Failure {
  readonly code: string;
  readonly reason: string;
}

function failureOf({ codeSha256 }: VersionRow, error: unknown): Failure {
  if (error instanceof ImageError) return imageFailure(error);
  if (isCodeGone(error)) return { code: error.code, reason: error.message };
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof SnapshotFailed) return { code: error.code, reason };
  return { code: imageOf(codeSha256) ? "InternalError" : "InvalidRuntime", reason };
}

/** A creation that failed leaves nothing to invoke; an update that failed leaves what ran before. */
function finished(row: VersionRow, failure: Failure | undefined): VersionRow {
  if (!failure)
    return {
      ...row,
      state: "Active",
      stateCode: null,
      stateReason: null,
      updateStatus: "Successful",
      updateCode: null,
      updateReason: null,
      serving: null,
    };
  const update = { updateStatus: "Failed", updateCode: failure.code, updateReason: failure.reason } as const;
  if (row.state === "Active") return { ...row, ...update };
  return { ...row, ...update, state: "Failed", stateCode: failure.code, stateReason: failure.reason };
}
