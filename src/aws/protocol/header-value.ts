/** Members bound to headers and query parameters: single values, lists and timestamps. */
import type { Shape } from "../model/shape.ts";
import { readText, writeText } from "./text-value.ts";

/** @throws MalformedInput */
export function readHeader(shape: Shape, text: string): unknown {
  if (shape.kind !== "list") return readText(shape, text);
  const item = shape.member.shape;
  const isHttpDate = item.kind === "timestamp" && (item.format ?? "http-date") === "http-date";
  const parts = isHttpDate ? pairs(text.split(",")) : splitHeaderList(text);
  return parts.map((part) => readText(item, part.trim()));
}

export function writeHeader(shape: Shape, value: unknown): string {
  if (shape.kind !== "list") return writeText(shape, value, "http-date");
  const items = [...(value as Iterable<unknown>)].filter((item) => item !== undefined && item !== null);
  return items
    .map((item) => quoteItem(writeText(shape.member.shape, item, "http-date"), shape.member.shape))
    .join(", ");
}

/** @throws MalformedInput */
export function readQueryValues(shape: Shape, values: readonly string[]): unknown {
  if (shape.kind === "list") return values.map((value) => readText(shape.member.shape, value));
  return readText(shape, values[0] ?? "");
}

/** An HTTP date has a comma of its own. */
function pairs(parts: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < parts.length; i += 2) result.push(parts.slice(i, i + 2).join(","));
  return result;
}

/** Items may be quoted where they hold a comma or a quote. */
function splitHeaderList(text: string): string[] {
  const items: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$)/gy;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (!found) break;
    items.push(found[1] === undefined ? (found[2] ?? "").trim() : found[1].replace(/\\(.)/g, "$1"));
  }
  return items;
}

function quoteItem(text: string, shape: Shape): string {
  if (shape.kind !== "string" || !/[",]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
