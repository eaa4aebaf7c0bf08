/** Keeps a mapping's LastProcessingResult: written when it changes, and at most once a second. */
import type { Clock } from "../kit/clock.ts";
import type { Database } from "../store/database.ts";
import type { Log } from "../telemetry/log.ts";
import type { Mapping } from "./mapping.ts";
import { saveResult } from "./store.ts";

const PAUSE_MS = 1_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly database: Database;
}

export class ResultWriter {
  readonly #deps: Deps;
  readonly #uuid: string;
  #written: string | undefined;
  #told: string | undefined;
  #writing: Promise<void> | undefined;
  #writtenAt = -Infinity;
  #cancel: (() => void) | undefined;

  constructor(deps: Deps, { uuid, lastResult }: Pick<Mapping, "uuid" | "lastResult">) {
    this.#deps = deps;
    this.#uuid = uuid;
    this.#written = lastResult;
    this.#told = lastResult;
  }

  tell(result: string): void {
    // Nothing to tell of what has been well from the start.
    if (this.#told === result || (this.#told === undefined && result === "OK")) return;
    this.#told = result;
    if (this.#writing || this.#cancel) return;
    const wait = this.#writtenAt + PAUSE_MS - this.#deps.clock.now();
    if (wait <= 0) this.#write();
    else
      this.#cancel = this.#deps.clock.after(wait, () => {
        this.#cancel = undefined;
        this.#write();
      });
  }

  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#writing;
    this.#write();
    await this.#writing;
  }

  #write(): void {
    const result = this.#told;
    if (result === undefined || result === this.#written) return;
    this.#written = result;
    this.#writtenAt = this.#deps.clock.now();
    this.#writing = this.#deps.database
      .tx((tx) => saveResult(tx, this.#uuid, result))
      .catch((error: unknown) =>
        this.#deps.log.warn("The result of an event source mapping was not kept", {
          uuid: this.#uuid,
          error,
        }),
      )
      .finally(() => {
        this.#writing = undefined;
        if (this.#told === this.#written || this.#cancel) return;
        const last = this.#told;
        this.#told = this.#written;
        if (last !== undefined) this.tell(last);
      });
  }
}
