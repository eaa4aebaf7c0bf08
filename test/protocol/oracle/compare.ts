/** Compares what one side sent with what the other read. */

/** A value as plain data in which equal values are equal: dates, bytes and big integers by content, no undefined. */
export function plain(value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Uint8Array)
    return `bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`;
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object") return value;
  const entries = Object.entries(value)
    .filter(([key]) => key !== "$metadata")
    .map(([key, item]) => [key, plain(item)] as const)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

/** Every place where the two differ, as `path: sent != got`. */
export function differences(sent: unknown, got: unknown, path = ""): string[] {
  if (JSON.stringify(sent) === JSON.stringify(got)) return [];
  if (isObject(sent) && isObject(got)) {
    const keys = new Set([...Object.keys(sent), ...Object.keys(got)]);
    return [...keys].flatMap((key) => differences(sent[key], got[key], path === "" ? key : `${path}.${key}`));
  }
  return [`${path}: ${shortened(sent)} != ${shortened(got)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function shortened(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}
