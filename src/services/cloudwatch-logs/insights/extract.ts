/** What `parse` takes out of a text. Pure. */
import type { ParsePattern } from "./ast.ts";

/** The values by name; none where the text does not match. */
export function extract(pattern: ParsePattern, text: string): ReadonlyMap<string, string> {
  if (pattern.kind === "glob") return extractGlob(pattern.pieces, pattern.names, text);
  const groups = pattern.regex.exec(text)?.groups ?? {};
  return new Map(Object.entries(groups).filter(([, value]) => value !== undefined));
}

/**
 * The first place where all pieces follow one another; each wildcard takes as little as it can, the last one all that remains where
 * nothing follows it.
 */
function extractGlob(
  pieces: readonly string[],
  names: readonly string[],
  text: string,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const first = pieces[0] ?? "";
  let at = text.indexOf(first);
  if (at < 0) return found;
  at += first.length;
  const values: string[] = [];
  for (const [index, piece] of pieces.slice(1).entries()) {
    const isOpen = piece === "" && index === names.length - 1;
    const end = isOpen ? text.length : text.indexOf(piece, at);
    if (end < 0) return found;
    values.push(text.slice(at, end));
    at = end + piece.length;
  }
  for (const [index, name] of names.entries()) found.set(name, (values[index] ?? "").trim());
  return found;
}
