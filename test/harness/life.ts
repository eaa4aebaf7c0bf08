/** A server on one address that is killed and started again, on the same data. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { spawnServer } from "./process.ts";
import type { ServerProcess } from "./process.ts";

export class Life {
  readonly endpoint: string;
  readonly #flags: readonly string[];
  #server: Promise<ServerProcess>;

  private constructor(port: number, flags: readonly string[]) {
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#flags = ["--port", String(port), ...flags];
    this.#server = spawnServer(this.#flags);
  }

  static async begin(flags: readonly string[]): Promise<Life> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, "close");
    const life = new Life(port, flags);
    await life.#server;
    return life;
  }

  /** `kill -9`, and a new server. */
  async kill(): Promise<void> {
    const old = await this.#server;
    this.#server = old.kill().then(() => spawnServer(this.#flags));
    await this.#server;
  }

  async end(): Promise<void> {
    await (await this.#server).terminate();
  }
}
