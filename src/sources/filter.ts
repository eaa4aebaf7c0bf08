/**
 * FilterCriteria of a mapping: which records reach the function.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
import {
  LAMBDA_OPERATORS,
  PatternError,
  compilePattern,
  isJsonObject,
  parseJson,
} from "../aws/event-pattern/index.ts";
import type { MappingSettings } from "./mapping.ts";

/** Patterns of one mapping, of which one must match. AWS gives five, and ten on request. */
export const FILTERS_MAX = 10;
export const PATTERN_CHARS_MAX = 4_096;

export type RecordFilter = (record: Readonly<Record<string, unknown>>, data?: string) => boolean;

/** Undefined where there are no filters. @param dataKey Where the producer's data stand. @throws PatternError */
export function compileFilters(
  criteria: MappingSettings["FilterCriteria"],
  dataKey: string | undefined,
): RecordFilter | undefined {
  const patterns = (criteria?.Filters ?? []).map(({ Pattern = "" }) => Pattern);
  if (patterns.length === 0) return undefined;
  if (patterns.length > FILTERS_MAX) throw new PatternError(`There are more than ${FILTERS_MAX} filters`);
  const compiled = patterns.map((text) => compileOne(text, dataKey));
  if (dataKey === undefined) return (record) => compiled.some(({ matches }) => matches(record));
  const looksAtData = compiled.some((one) => one.dataIs !== "ignored");
  return (record, data) => {
    const parsed = looksAtData ? parseData(data) : undefined;
    const seen = looksAtData ? { ...record, [dataKey]: parsed ?? data } : record;
    return compiled.some(({ matches, dataIs }) => {
      // Data of the other kind than the pattern's never match it.
      if (dataIs === "json" && parsed === undefined) return false;
      if (dataIs === "text" && (parsed !== undefined || data === undefined)) return false;
      return matches(seen);
    });
  };
}

function compileOne(text: string, dataKey: string | undefined) {
  if (text.length > PATTERN_CHARS_MAX)
    throw new PatternError(`A pattern has more than ${PATTERN_CHARS_MAX} characters`);
  const matches = compilePattern(text, { operators: LAMBDA_OPERATORS });
  return { matches, dataIs: dataKey === undefined ? "ignored" : kindOfData(text, dataKey) };
}

/** What a pattern takes the producer's data for: JSON, plain text, either by `$or`, or nothing. */
function kindOfData(text: string, dataKey: string): "json" | "text" | "either" | "ignored" {
  const pattern = JSON.parse(text) as Record<string, unknown>;
  if (isJsonObject(pattern[dataKey])) return "json";
  if (dataKey in pattern) return "text";
  return text.includes(`"${dataKey}"`) ? "either" : "ignored";
}

/** JSON objects and arrays; undefined for everything else, which is text. */
function parseData(data: string | undefined): unknown {
  if (data === undefined || !/^\s*[[{]/.test(data)) return undefined;
  try {
    return parseJson(data);
  } catch {
    return undefined;
  }
}
