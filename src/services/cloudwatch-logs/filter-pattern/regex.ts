/**
 * The regular expressions of filter patterns, run without backtracking: patterns come from callers and events may be
 * a megabyte long, so matching has to be linear in the event.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
import { FilterPatternError } from "./error.ts";

export interface Regex {
  /** Whether any part of the text matches. */
  test(text: string): boolean;
}

type CharacterTest = (code: number) => boolean;

/** One character, with how often it may be repeated. Anchors stand alone. */
type Item =
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | {
      readonly kind: "character";
      readonly test: CharacterTest;
      readonly skip: boolean;
      readonly loop: boolean;
    };

const REPEATS_MAX = 255;
const ITEMS_MAX = 2_000;
const LITERALS = /[A-Za-z0-9 :_#=@/;,-]/;

/** Compiles the text between the percent signs. @throws FilterPatternError */
export function compileRegex(source: string): Regex {
  const alternatives = splitAlternatives(source).map(readItems);
  return { test: (text) => alternatives.some((items) => matches(items, text)) };
}

/** Follows all positions at once: state i means that items before i are matched. */
function matches(items: readonly Item[], text: string): boolean {
  const count = items.length;
  let current = new Uint8Array(count + 1);
  for (let at = 0; ; at++) {
    current[0] = 1;
    // Items that may be skipped, and anchors that hold here, let a state go on without a character.
    for (let i = 0; i < count; i++) {
      if (current[i] === 0) continue;
      const item = items[i];
      if (item?.kind === "start" ? at === 0 : item?.kind === "end" ? at === text.length : item?.skip)
        current[i + 1] = 1;
    }
    if (current[count] === 1) return true;
    if (at >= text.length) return false;
    const code = text.charCodeAt(at);
    const next = new Uint8Array(count + 1);
    for (let i = 0; i < count; i++) {
      const item = items[i];
      if (current[i] === 0 || item?.kind !== "character" || !item.test(code)) continue;
      next[i + 1] = 1;
      if (item.loop) next[i] = 1;
    }
    current = next;
  }
}

function splitAlternatives(source: string): string[] {
  const parts: string[] = [""];
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    let piece = source[i] ?? "";
    if (piece === "\\") piece += source[++i] ?? "";
    else if (piece === "[") inClass = true;
    else if (piece === "]") inClass = false;
    else if (piece === "|" && !inClass) {
      parts.push("");
      continue;
    }
    parts[parts.length - 1] += piece;
  }
  return parts;
}

function readItems(source: string): Item[] {
  const items: Item[] = [];
  let at = 0;
  while (at < source.length) {
    const character = source[at];
    if (character === "^" || character === "$") {
      items.push({ kind: character === "^" ? "start" : "end" });
      at++;
      continue;
    }
    const atom = readAtom(source, at);
    const [min, max, next] = readQuantifier(source, atom.next);
    for (let i = 0; i < min; i++) items.push(once(atom.test));
    if (max === Number.POSITIVE_INFINITY)
      items.push({ kind: "character", test: atom.test, skip: true, loop: true });
    else for (let i = min; i < max; i++) items.push({ ...once(atom.test), skip: true });
    if (items.length > ITEMS_MAX) throw new FilterPatternError("The regular expression is too long");
    at = next;
  }
  return items;
}

function once(test: CharacterTest) {
  return { kind: "character", test, skip: false, loop: false } as const;
}

function readQuantifier(source: string, at: number): [min: number, max: number, next: number] {
  const character = source[at];
  if (character === "*") return [0, Number.POSITIVE_INFINITY, at + 1];
  if (character === "+") return [1, Number.POSITIVE_INFINITY, at + 1];
  if (character === "?") return [0, 1, at + 1];
  if (character !== "{") return [1, 1, at];
  const found = /^\{\s*(\d*)\s*(,?)\s*(\d*)\s*\}/.exec(source.slice(at));
  if (!found || (found[1] === "" && found[3] === "")) throw new FilterPatternError();
  const min = Number(found[1] || 0);
  const max = found[2] === "" ? min : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3]);
  if (min > REPEATS_MAX || (max > REPEATS_MAX && max !== Number.POSITIVE_INFINITY) || max < min)
    throw new FilterPatternError();
  return [min, max, at + found[0].length];
}

function readAtom(source: string, at: number): { test: CharacterTest; next: number } {
  const character = source[at] ?? "";
  if (character === ".") return { test: (code) => code !== 10 && code !== 13, next: at + 1 };
  if (character === "\\") return readEscape(source, at);
  if (character === "[") return readClass(source, at);
  if (!LITERALS.test(character))
    throw new FilterPatternError(`Invalid character(s) in regular expression '${source}'`);
  const wanted = character.charCodeAt(0);
  return { test: (code) => code === wanted, next: at + 1 };
}

const CLASSES: Readonly<Record<string, CharacterTest>> = {
  d: (code) => code >= 48 && code <= 57,
  s: (code) => code === 32 || (code >= 9 && code <= 13),
  w: (code) =>
    (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122),
};

function readEscape(source: string, at: number): { test: CharacterTest; next: number; code?: number } {
  const character = source[at + 1];
  if (character === undefined) throw new FilterPatternError();
  const known = CLASSES[character.toLowerCase()];
  if (known && /[dsw]/.test(character)) return { test: known, next: at + 2 };
  if (known) return { test: (code) => !known(code), next: at + 2 };
  const hex = /^x([0-9A-Fa-f]{2})/.exec(source.slice(at + 1))?.[1];
  const wanted =
    hex === undefined ? (ESCAPED[character] ?? character.charCodeAt(0)) : Number.parseInt(hex, 16);
  if (hex === undefined && /[A-Za-z0-9]/.test(character) && !(character in ESCAPED))
    throw new FilterPatternError();
  return { test: (code) => code === wanted, next: at + (hex === undefined ? 2 : 4), code: wanted };
}

const ESCAPED: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13 };

function readClass(source: string, at: number): { test: CharacterTest; next: number } {
  let next = at + 1;
  const negated = source[next] === "^";
  if (negated) next++;
  const tests: CharacterTest[] = [];
  const start = next;
  while (next < source.length && (source[next] !== "]" || next === start)) {
    const from = readClassCharacter(source, next);
    next = from.next;
    if (from.code !== undefined && source[next] === "-" && source[next + 1] !== "]") {
      const to = readClassCharacter(source, next + 1);
      if (to.code === undefined || to.code < from.code) throw new FilterPatternError();
      const [low, high] = [from.code, to.code];
      tests.push((code) => code >= low && code <= high);
      next = to.next;
    } else tests.push(from.test);
  }
  if (source[next] !== "]") throw new FilterPatternError();
  return { test: (code) => tests.some((test) => test(code)) !== negated, next: next + 1 };
}

function readClassCharacter(
  source: string,
  at: number,
): { test: CharacterTest; next: number; code?: number } {
  if (source[at] === "\\") return readEscape(source, at);
  const wanted = source.charCodeAt(at);
  return { test: (code) => code === wanted, next: at + 1, code: wanted };
}
