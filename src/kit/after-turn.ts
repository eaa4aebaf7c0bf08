/** What is done once everything that has come in this turn of the event loop is read: together, since each alone costs an immediate. */

/** A turn of the event loop, as far as its input is concerned. */
export class Turn {
  #isOver = false;
  readonly #waiting: (() => void)[] = [];

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves when the turn's input is read; all who wait are woken one right after the other. */
  over(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    this.#isOver = true;
    for (const resolve of this.#waiting) resolve();
  }
}

let current: Turn | undefined;

/** The turn that is under way: the same for all who ask in it. */
export function thisTurn(): Turn {
  if (current) return current;
  const turn = new Turn();
  current = turn;
  setImmediate(() => {
    current = undefined;
    turn.end();
  });
  return turn;
}

/** Resolves when everything has been read that had come when this was called. */
export function allRead(): Promise<void> {
  // Between the two immediates lies a whole look at what there is to read.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
