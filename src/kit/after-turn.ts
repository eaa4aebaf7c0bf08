/** What is done once everything that has come in this turn of the event loop is read: together, since each alone costs an immediate. */

let waiting: (() => void)[] = [];

/** Resolves when this turn's input is read. */
export function afterTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(wake);
  });
}

/** The turn of the event loop that is under way. */
export interface Turn {
  readonly isOver: boolean;
}

let current: { isOver: boolean } | undefined;

/** The same for all who ask in one turn; over when this turn's input is read. */
export function thisTurn(): Turn {
  if (current) return current;
  const turn = { isOver: false };
  current = turn;
  setImmediate(() => {
    turn.isOver = true;
    current = undefined;
  });
  return turn;
}

/** Resolves when everything has been read that had come when this was called. */
export function allRead(): Promise<void> {
  // Between the two immediates lies a whole look at what there is to read.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

function wake(): void {
  const resolves = waiting;
  waiting = [];
  for (const resolve of resolves) resolve();
}
