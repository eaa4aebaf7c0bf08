/** Functions of texts. Pure. */
import { hash } from "node:crypto";
import { Json, isTrue, plainText, toNumber } from "../values.ts";
import type { Value } from "../values.ts";
import { MANY, finite, literalOf, tested, textual } from "./scalar.ts";
import type { Functions, ScalarFunction } from "./scalar.ts";
import type { Expression } from "../ast.ts";

const trimmed = (side: "start" | "end" | "both"): ScalarFunction => ({
  arguments: [1, 2],
  apply: ([value, characters]) => {
    const text = plainText(value);
    return text === undefined ? undefined : trim(text, plainText(characters), side);
  },
});

const regexReplace: ScalarFunction = { arguments: [3, 3], fault: regexFault, apply: replaceRegex };

export const TEXTS: Functions = {
  concat: { arguments: [1, MANY], apply: (values) => values.map((value) => plainText(value) ?? "").join("") },
  trim: trimmed("both"),
  ltrim: trimmed("start"),
  rtrim: trimmed("end"),
  strlen: textual((text) => Array.from(text).length),
  toupper: textual((text) => text.toUpperCase()),
  tolower: textual((text) => text.toLowerCase()),
  substr: { arguments: [2, 3], apply: substr },
  replace: { arguments: [3, 3], apply: replace },
  regexreplace: regexReplace,
  regex_replace: regexReplace,
  strcontains: { arguments: [2, 3], apply: contains },
  startswith: tested((text, start) => text.startsWith(start)),
  endswith: tested((text, end) => text.endsWith(end)),
  split: { arguments: [2, 2], apply: split },
  urlencode: textual((text) => encodeURIComponent(text.toWellFormed())),
  urldecode: textual(urlDecoded),
  base64encode: textual((text) => Buffer.from(text).toString("base64")),
  base64decode: textual((text) => Buffer.from(text, "base64").toString()),
  hextoascii: textual(hexToAscii),
  hextodec: textual(hexToDec),
  dectohex: { arguments: [1, 1], apply: ([value]) => decToHex(toNumber(value)) },
  md5: textual((text) => hash("md5", text)),
  sha256: textual((text) => hash("sha256", text)),
};

function trim(text: string, characters: string | undefined, side: "start" | "end" | "both"): string {
  if (characters === undefined)
    return side === "both" ? text.trim() : side === "start" ? text.trimStart() : text.trimEnd();
  const all = Array.from(text);
  let [from, to] = [0, all.length];
  if (side !== "end") while (from < to && characters.includes(all[from] ?? "")) from++;
  if (side !== "start") while (to > from && characters.includes(all[to - 1] ?? "")) to--;
  return all.slice(from, to).join("");
}

function substr([value, start, length]: readonly Value[]): Value {
  const [text, from, count] = [plainText(value), toNumber(start), toNumber(length)];
  if (text === undefined || from === undefined) return undefined;
  const all = Array.from(text);
  return all.slice(from, count === undefined ? undefined : from + count).join("");
}

function replace([value, searched, replacement]: readonly Value[]): Value {
  const text = plainText(value);
  if (text === undefined) return undefined;
  return text.replaceAll(plainText(searched) ?? "", () => plainText(replacement) ?? "");
}

function contains([value, part, insensitive]: readonly Value[]): Value {
  const [text, wanted] = [plainText(value), plainText(part) ?? ""];
  if (text === undefined) return undefined;
  return Number(
    isTrue(insensitive) ? text.toLowerCase().includes(wanted.toLowerCase()) : text.includes(wanted),
  );
}

function split([value, delimiter]: readonly Value[]): Value {
  const text = plainText(value);
  return text === undefined ? undefined : new Json(text.split(plainText(delimiter) ?? ""));
}

function urlDecoded(text: string): Value {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function hexToAscii(text: string): Value {
  const digits = text.replace(/^0x/i, "");
  const isHex = /^([0-9a-f]{2})*$/i.test(digits);
  return isHex ? Buffer.from(digits, "hex").toString("latin1") : undefined;
}

function hexToDec(text: string): Value {
  const [, sign, digits] = /^(-?)(?:0x)?([0-9a-f]+)$/i.exec(text.trim()) ?? [];
  return digits === undefined ? undefined : finite(Number(`0x${digits}`), (n) => (sign === "-" ? -n : n));
}

function decToHex(number: number | undefined): Value {
  if (number === undefined || !Number.isFinite(number)) return undefined;
  return `${number <= -1 ? "-" : ""}0x${Math.trunc(Math.abs(number)).toString(16)}`;
}

function regexFault([, pattern]: readonly Expression[]): string | undefined {
  const text = literalOf(pattern);
  if (text === undefined) return "takes its regular expression as a text";
  try {
    compiled(text);
    return undefined;
  } catch (error) {
    return `cannot use its regular expression: ${(error as Error).message}`;
  }
}

/** Of the last pattern: the same for each record. */
let last: { readonly pattern: string; readonly regex: RegExp } | undefined;

function compiled(pattern: string): RegExp {
  if (last?.pattern !== pattern) {
    const inline = /^\(\?([ims]+)\)/.exec(pattern);
    const source = pattern.slice(inline?.[0].length ?? 0).replaceAll("(?P<", "(?<");
    last = { pattern, regex: new RegExp(source, `g${inline?.[1] ?? ""}`) };
  }
  return last.regex;
}

/** Groups stand in the replacement as `\1` or `$1`. */
function replaceRegex([value, pattern, replacement]: readonly Value[]): Value {
  const text = plainText(value);
  if (text === undefined) return undefined;
  const written = plainText(replacement) ?? "";
  return text.replace(compiled(plainText(pattern) ?? ""), (...match: unknown[]) =>
    written.replace(/[\\$](?:(\d)|\{(\d+)\})/g, (_, one?: string, more?: string) => {
      const group = match[Number(one ?? more)];
      return typeof group === "string" ? group : "";
    }),
  );
}
