/** Values as AWS's messages show them: the way Java prints them. */

const SHOWN_CHARACTERS_MAX = 10_000;

/** `[a, b]` for a list, `{k=v}` for a map or structure. */
export function javaText(value: unknown): string {
  const text = render(value);
  return text.length > SHOWN_CHARACTERS_MAX ? text.slice(0, SHOWN_CHARACTERS_MAX) : text;
}

function render(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (value instanceof Uint8Array)
    return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map(render).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}=${render(item)}`)
      .join(", ")}}`;
  if (typeof value === "bigint") return value.toString();
  return typeof value === "string" ? value : JSON.stringify(value);
}
