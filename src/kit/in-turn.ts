/** Work on the same thing that happens one after the other. */

export class InTurn {
  readonly #turns = new Map<string, Promise<unknown>>();

  /** Whether something is at work under a name. */
  has(name: string): boolean {
    return this.#turns.has(name);
  }

  /** Runs `work` when what was begun under the same name before has ended, well or not. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(name, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === settled) this.#turns.delete(name);
    }
  }
}
