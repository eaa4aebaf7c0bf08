/** What is done once everything that has come in this turn of the event loop is read: together, since each alone costs an immediate. */

let current: Promise<void> | undefined;

/** Resolves when this turn's input is read; the same promise for all who ask in one turn. */
export function afterTurn(): Promise<void> {
  current ??= new Promise((resolve) =>
    setImmediate(() => {
      current = undefined;
      resolve();
    }),
  );
  return current;
}

/** Resolves when everything has been read that had come when this was called. */
export function allRead(): Promise<void> {
  // Between the two immediates lies a whole look at what there is to read.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
