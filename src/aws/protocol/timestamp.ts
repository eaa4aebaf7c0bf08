/** Timestamps in the three formats of Smithy. */
import type { TimestampFormat } from "../model/shape.ts";
import { MalformedInput } from "./malformed-input.ts";

const MS_PER_SECOND = 1_000;
const EPOCH = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** Reads any of the three formats: AWS accepts an ISO string or epoch seconds wherever it takes text. */
export function parseTimestamp(text: string): Date {
  const date = EPOCH.test(text) ? fromEpochSeconds(Number(text)) : new Date(text);
  if (Number.isNaN(date.getTime())) throw new MalformedInput(`Invalid timestamp: ${text}`);
  return date;
}

/** Keeps milliseconds, which is all that a Date holds. */
export function fromEpochSeconds(seconds: number): Date {
  return new Date(Math.round(seconds * MS_PER_SECOND));
}

export function toEpochSeconds(date: Date): number {
  return date.getTime() / MS_PER_SECOND;
}

export function formatTimestamp(date: Date, format: TimestampFormat): string {
  if (format === "epoch-seconds") return String(toEpochSeconds(date));
  if (format === "http-date") return date.toUTCString();
  const text = date.toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text;
}
