/** The sandboxes of one provider: what boots, what runs, and the end of all of it. */
import { SandboxError } from "./sandbox.ts";
import type { Sandbox, SandboxSpec } from "./sandbox.ts";
import { checkSpec } from "./check-spec.ts";

export class Registry {
  readonly #ids = new Set<string>();
  readonly #running = new Map<string, Sandbox>();
  readonly #booting = new Set<Promise<Sandbox>>();
  #closed = false;

  /**
   * Boots a sandbox under its id, which is taken until `gone` is called.
   * @throws SandboxError when the spec is wrong, the id is taken or the provider is closed.
   */
  async boot(spec: SandboxSpec, make: (gone: () => void) => Promise<Sandbox>): Promise<Sandbox> {
    if (this.#closed) throw new SandboxError("the sandbox provider is closed");
    if (this.#ids.has(spec.id)) throw new SandboxError(`there is a sandbox ${spec.id} already`);
    this.#ids.add(spec.id);
    const gone = () => {
      this.#ids.delete(spec.id);
      this.#running.delete(spec.id);
    };
    const boot = Promise.try(() => {
      checkSpec(spec);
      return make(gone);
    });
    this.#booting.add(boot);
    try {
      const sandbox = await boot;
      // It may have ended already.
      if (this.#ids.has(spec.id)) this.#running.set(spec.id, sandbox);
      return sandbox;
    } catch (error) {
      gone();
      throw error;
    } finally {
      this.#booting.delete(boot);
    }
  }

  /** Takes no more, waits for those that boot, and kills everything. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#booting);
    await Promise.allSettled([...this.#running.values()].map((sandbox) => sandbox.stop(0)));
  }
}
