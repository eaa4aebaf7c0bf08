/** The interpreters of one language that the host has, by version; looked for anew when what is known is old. */
import { exists } from "./install.ts";

/** One that is installed while the server runs is seen after this. */
const freshMs = 30_000;

export class FoundInterpreters<Version, Interpreter extends { readonly executable: string }> {
  readonly #find: () => Promise<ReadonlyMap<Version, Interpreter>>;
  #found: Promise<ReadonlyMap<Version, Interpreter>> | undefined;
  #at = 0;

  constructor(find: () => Promise<ReadonlyMap<Version, Interpreter>>) {
    this.#find = find;
  }

  /** Asking every interpreter takes the better part of a second, so what is known is not asked again at once. */
  all(): Promise<ReadonlyMap<Version, Interpreter>> {
    if (this.#found === undefined || performance.now() - this.#at > freshMs) {
      this.#found = this.#find();
      this.#at = performance.now();
    }
    return this.#found;
  }

  async get(version: Version): Promise<Interpreter | undefined> {
    const known = (await this.#found)?.get(version);
    if (known && (await exists(known.executable))) return known;
    return (await this.all()).get(version);
  }
}
