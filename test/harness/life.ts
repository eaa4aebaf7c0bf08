/** A server that is killed again and again, on one data directory. */
import { spawnServer } from "./process.ts";
import type { ServerProcess } from "./process.ts";

/** The server of the moment, and what it takes to replace it. */
export class Life {
  readonly #flags: readonly string[];
  server: Promise<ServerProcess>;

  constructor(flags: readonly string[]) {
    this.#flags = flags;
    this.server = spawnServer(flags);
  }

  /** `kill -9`, and a new server on the same data. */
  async kill(): Promise<void> {
    const old = await this.server;
    this.server = old.kill().then(() => spawnServer(this.#flags));
    await this.server;
  }
}
