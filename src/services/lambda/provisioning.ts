/** Keeps the data path at what is configured: environments of provisioned concurrency, on whichever version each is for now. */
import type { FunctionVersion, Invoker, ProvisionedStatus } from "../../invoke/index.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Catalogue } from "./catalogue.ts";
import { functionArn, readFunctionArn } from "./names.ts";
import type { FunctionId } from "./names.ts";
import { provisionedTargets } from "./provisioned-targets.ts";
import type { ProvisionedTarget } from "./provisioned-targets.ts";
import { readAllProvisioned } from "./store-concurrency.ts";

interface Deps {
  readonly database: Database;
  readonly catalogue: Catalogue;
  readonly invoker: Invoker;
  readonly log: Log;
}

/** What the data path was told of one version. */
interface Told {
  readonly version: FunctionVersion;
  readonly requested: number;
  readonly lastModified: number;
}

export class Provisioning {
  readonly #deps: Deps;
  /** By function's ARN, then by version key. Functions that never provisioned anything are not in here. */
  readonly #told = new Map<string, Map<string, Told>>();
  /** Changes of one function follow one another. */
  readonly #applying = new Map<string, Promise<void>>();
  #isStopped = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    deps.catalogue.onChange((id) => {
      if (this.#told.has(functionArn(id))) this.apply(id);
    });
  }

  /** Reads what is committed: once functions can run, and where other servers write to the same database. */
  async load(): Promise<void> {
    const known = [...this.#told.keys()].flatMap((arn) => readFunctionArn(arn) ?? []);
    const current = await readAllProvisioned(this.#deps.database);
    for (const id of [...current, ...known]) this.apply(id);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#applying.values());
  }

  /** Brings the data path to what is committed for a function, in the background. */
  apply(id: FunctionId): void {
    if (this.#isStopped) return;
    const arn = functionArn(id);
    if (!this.#told.has(arn)) this.#told.set(arn, new Map());
    const work = (this.#applying.get(arn) ?? Promise.resolve())
      .then(() => this.#apply(id, arn))
      .catch((error: unknown) =>
        this.#deps.log.error("Provisioned concurrency could not be applied", { function: arn, error }),
      )
      .finally(() => {
        if (this.#applying.get(arn) === work) this.#applying.delete(arn);
      });
    this.#applying.set(arn, work);
  }

  /** How far one is. */
  status(id: FunctionId, target: ProvisionedTarget): ProvisionedStatus {
    for (const { version, requested, lastModified } of this.#told.get(functionArn(id))?.values() ?? [])
      if (version.version === String(target.number) && lastModified === target.lastModified) {
        const status = this.#deps.invoker.provisioned(version.key);
        if (status && requested === target.requested) return status;
      }
    return { requested: target.requested, allocated: 0, available: 0, status: "IN_PROGRESS" };
  }

  async #apply(id: FunctionId, arn: string): Promise<void> {
    const { database, catalogue, invoker } = this.#deps;
    const told = this.#told.get(arn) ?? new Map<string, Told>();
    const wanted = new Map<string, Told>();
    for (const { number, requested, lastModified } of await provisionedTargets(database, id)) {
      // A version that is not active yet changes once more, and is applied then.
      const target = await catalogue.target({ ...id, qualifier: String(number) }).catch(() => undefined);
      if (target) wanted.set(target.version.key, { version: target.version, requested, lastModified });
    }
    if (this.#isStopped) return;
    for (const [key, { version }] of told) if (!wanted.has(key)) invoker.provision(version, 0);
    for (const [key, one] of wanted) {
      const before = told.get(key);
      if (before?.requested !== one.requested || before.lastModified !== one.lastModified)
        invoker.provision(one.version, one.requested);
    }
    if (wanted.size > 0) this.#told.set(arn, wanted);
    else this.#told.delete(arn);
  }
}
