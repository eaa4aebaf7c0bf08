/** Splits a PartiQL statement into tokens. */
import { notWellFormed } from "./faults.ts";

export type Token =
  | { readonly kind: "word"; readonly text: string }
  /** A name in double quotes, which is no keyword. */
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "sign"; readonly text: string }
  | { readonly kind: "end"; readonly text: "" };

const PATTERNS: readonly (readonly [Exclude<Token["kind"], "end"> | "space", RegExp])[] = [
  ["space", /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y],
  ["word", /[A-Za-z_$][A-Za-z0-9_$]*/y],
  ["number", /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ["name", /"(?:[^"]|"")*"/y],
  ["text", /'(?:[^']|'')*'/y],
  ["sign", /<<|>>|<>|<=|>=|!=|[-+=<>(){}[\],.:*?;]/y],
];

/** The tokens of a statement, the last of which is the end. @throws AwsError for a character that begins none */
export function tokensOf(statement: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < statement.length) {
    const found = matchAt(statement, at);
    if (!found) throw notWellFormed("");
    at += found.text.length;
    if (found.kind !== "space") tokens.push({ kind: found.kind, text: textOf(found.kind, found.text) });
  }
  // One semicolon may end a statement.
  if (tokens.at(-1)?.kind === "sign" && tokens.at(-1)?.text === ";") tokens.pop();
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

function matchAt(
  statement: string,
  at: number,
): { kind: Exclude<Token["kind"], "end"> | "space"; text: string } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(statement)?.[0];
    if (text !== undefined) return { kind, text };
  }
  return undefined;
}

/** What a token stands for: quotes are taken off, doubled ones are one. */
function textOf(kind: Token["kind"], text: string): string {
  if (kind === "text") return text.slice(1, -1).replaceAll("''", "'");
  return kind === "name" ? text.slice(1, -1).replaceAll('""', '"') : text;
}
