/**
 * Filter policies: which messages a subscription gets. The language is that of event patterns; what it is asked of, and its bounds, are SNS's.
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
 */
import { ALL_OPERATORS, PatternError, compilePattern } from "../../../aws/event-pattern/index.ts";
import { invalid } from "../errors.ts";
import {
  FILTER_POLICY_BYTES_MAX,
  FILTER_POLICY_COMBINATIONS_MAX,
  FILTER_POLICY_KEYS_MAX,
} from "../limits.ts";
import type { MessageAttributes } from "../messages/attributes.ts";

export type FilterScope = "MessageAttributes" | "MessageBody";

/** What a filter looks at. */
export interface Filtered {
  readonly text: string;
  readonly attributes: MessageAttributes;
}

/** `out`: the message does not fit. The others: it has nothing that could. */
export type Verdict = "fits" | "out" | "invalid-attributes" | "no-attributes" | "invalid-body";

export type Filter = (message: Filtered) => Verdict;

/** @param text Of a policy that was checked when it was set. */
export function compileFilter(text: string, scope: FilterScope): Filter {
  const matches = compilePattern(plainNumbers(text), { operators: ALL_OPERATORS });
  if (scope === "MessageBody")
    return ({ text }) => {
      const body = objectIn(text);
      if (body === undefined) return "invalid-body";
      return matches(body) ? "fits" : "out";
    };
  return ({ attributes }) => {
    const event = eventOf(attributes);
    if (event === undefined) return "invalid-attributes";
    if (matches(event)) return "fits";
    return Object.keys(event).length === 0 ? "no-attributes" : "out";
  };
}

/** @throws Error of `refuse`, for what is no filter policy of the scope */
export function checkFilter(text: string, scope: FilterScope, refuse: (reason: string) => Error): void {
  if (Buffer.byteLength(text) > FILTER_POLICY_BYTES_MAX) throw refuse("Filter policy is too large");
  const policy = objectIn(text);
  if (policy === undefined) throw refuse("failed to parse JSON. Filter policy must be a JSON object");
  if (scope === "MessageAttributes") requireFlat(policy);
  try {
    compilePattern(plainNumbers(text), { operators: ALL_OPERATORS });
  } catch (error) {
    if (error instanceof PatternError) throw refuse(error.message);
    throw error;
  }
  const leaves = leavesOf(policy, 1);
  if (new Set(leaves.map(({ path }) => path)).size > FILTER_POLICY_KEYS_MAX)
    throw refuse(`Filter policy can not have more than ${FILTER_POLICY_KEYS_MAX} keys`);
  const combinations = leaves.reduce((product, { values, depth }) => product * values * depth, 1);
  if (combinations > FILTER_POLICY_COMBINATIONS_MAX) throw refuse("Filter policy is too complex");
}

interface Leaf {
  readonly path: string;
  readonly values: number;
  readonly depth: number;
}

function leavesOf(policy: Readonly<Record<string, unknown>>, depth: number, path = ""): Leaf[] {
  return Object.entries(policy).flatMap(([key, value]): Leaf[] => {
    const own = `${path}.${key}`;
    if (key === "$or" && Array.isArray(value) && value.every(isObject))
      return value.flatMap((one) => leavesOf(one, depth, path));
    if (Array.isArray(value)) return [{ path: own, values: value.length, depth }];
    return isObject(value) ? leavesOf(value, depth + 1, own) : [];
  });
}

/** Attributes have no members. */
function requireFlat(policy: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(policy)) {
    if (key === "$or" && Array.isArray(value)) for (const one of value.filter(isObject)) requireFlat(one);
    else if (isObject(value))
      throw invalid("Filter policy scope MessageAttributes does not support nested filter policy");
  }
}

/** Numbers are compared by their value here, and not by how they are written: 300, 300.0 and 3e2 are one. */
function plainNumbers(text: string): string {
  return JSON.stringify(JSON.parse(text));
}

/** Attributes as an event that patterns can be asked of; undefined where one says that it is what it is not. Binary values match nothing. */
function eventOf(attributes: MessageAttributes): Readonly<Record<string, unknown>> | undefined {
  const event: Record<string, unknown> = {};
  for (const [name, { DataType, StringValue = "" }] of Object.entries(attributes)) {
    if (DataType.startsWith("Binary")) continue;
    if (DataType === "String.Array") {
      const list = parsed(StringValue);
      if (!Array.isArray(list)) return undefined;
      event[name] = list;
    } else if (DataType.startsWith("Number")) event[name] = Number(StringValue);
    else event[name] = StringValue;
  }
  return event;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parsed(text);
  return isObject(value) ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
