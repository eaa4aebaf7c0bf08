/** Places between events: what tokens stand for, and what event ids are made of. Pure. */

/** The order of a group's events: by time, then by stream, then as they were received. */
export interface Position {
  readonly at: number;
  readonly streamId: number;
  readonly chunkNo: number;
  readonly index: number;
}

export const FIRST: Position = { at: 0, streamId: 0, chunkNo: 0, index: 0 };

/** Digits of each part; 56 in all, as AWS's ids have. */
const DIGITS = { at: 14, streamId: 16, chunkNo: 14, index: 12 } as const;

export function comparePositions(a: Position, b: Position): number {
  return a.at - b.at || a.streamId - b.streamId || a.chunkNo - b.chunkNo || a.index - b.index;
}

/** The place just after an event. */
export function after(position: Position): Position {
  return { ...position, index: position.index + 1 };
}

/** 56 decimal digits, in the order of the positions. */
export function toDigits(position: Position): string {
  return Object.entries(DIGITS)
    .map(([part, digits]) => String(position[part as keyof Position]).padStart(digits, "0"))
    .join("");
}

/** The inverse of {@link toDigits}; undefined for anything else. */
export function fromDigits(text: string): Position | undefined {
  const match = /^(\d{14})(\d{16})(\d{14})(\d{12})$/.exec(text);
  if (!match) return undefined;
  const [at = 0, streamId = 0, chunkNo = 0, index = 0] = match.slice(1).map(Number);
  return { at, streamId, chunkNo, index };
}
