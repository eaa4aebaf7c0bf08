/** What `parse` takes out of a value. Pure. */
import type { ParsePattern } from "./ast.ts";
import { jsonOf } from "./functions/index.ts";
import { Json, fromJson, partOf, toText } from "./values.ts";
import type { Value } from "./values.ts";

type Found = ReadonlyMap<string, Value>;

const NOTHING: Found = new Map();
/** Matches of one event that `multi` makes records of. */
const MATCHES_MAX = 1_000;

/** The values by name, for each record that comes of it; none where the value does not match. */
export function extract(pattern: ParsePattern, value: Value): readonly Found[] {
  if (pattern.kind === "path") return [new Map([[pattern.name, partAt(value, pattern.path)]])];
  const text = toText(value);
  if (text === undefined) return [];
  switch (pattern.kind) {
    case "glob":
      return [extractGlob(pattern.pieces, pattern.names, text)];
    case "regex":
      return extractRegex(pattern, text);
    case "logfmt":
      return [new Map([[pattern.name, new Json(readLogfmt(text))]])];
    default:
      return [readCsv(pattern.names, text)];
  }
}

function extractRegex(
  { regex, names, isMulti }: Extract<ParsePattern, { kind: "regex" }>,
  text: string,
): readonly Found[] {
  const matches: RegExpExecArray[] = [];
  if (isMulti)
    for (const match of text.matchAll(regex)) {
      if (matches.length >= MATCHES_MAX) break;
      matches.push(match);
    }
  else {
    const match = regex.exec(text);
    if (match) matches.push(match);
  }
  return matches.map((match) => {
    const found = names
      ? names.map((name, index) => [name, match[index + 1]] as const)
      : Object.entries(match.groups ?? {});
    return new Map(found.filter(([, part]) => part !== undefined));
  });
}

/**
 * The first place where all pieces follow one another; each wildcard takes as little as it can, the last one all that remains where
 * nothing follows it.
 */
function extractGlob(pieces: readonly string[], names: readonly string[], text: string): Found {
  const first = pieces[0] ?? "";
  let at = text.indexOf(first);
  if (at < 0) return NOTHING;
  at += first.length;
  const values: string[] = [];
  for (const [index, piece] of pieces.slice(1).entries()) {
    const isOpen = piece === "" && index === names.length - 1;
    const end = isOpen ? text.length : text.indexOf(piece, at);
    if (end < 0) return NOTHING;
    values.push(text.slice(at, end));
    at = end + piece.length;
  }
  return new Map(names.map((name, index) => [name, (values[index] ?? "").trim()]));
}

/** `key=value key="a value" key`: the last is true. */
function readLogfmt(text: string): Record<string, string | boolean> {
  const found = new Map<string, string | boolean>();
  for (const [, key = "", quoted, plain] of text.matchAll(/([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|(\S*)))?/g))
    found.set(key, quoted?.replace(/\\(.)/g, unescaped) ?? plain ?? true);
  return Object.fromEntries(found);
}

function unescaped(_: string, character: string): string {
  return { n: "\n", t: "\t", r: "\r" }[character] ?? character;
}

/** Values with commas stand in quotation marks, which are doubled within. */
function readCsv(names: readonly string[], text: string): Found {
  const values = [...text.matchAll(/(?:^|,)(?:\s*"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))/g)].map(
    ([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain.trim(),
  );
  return new Map(names.slice(0, values.length).map((name, index) => [name, values[index]]));
}

/** A part of a map or list, or of a text that is one in JSON. */
function partAt(value: Value, path: string): Value {
  return fromJson(partOf(jsonOf(value)?.value, path.replace(/\[(\d+)\]/g, ".$1")));
}
