/** The steps of a query: each takes records and hands on some, others once there are no more. Pure. */
import { AGGREGATE_NAMES } from "./aggregate-names.ts";
import { makeAggregate } from "./aggregates.ts";
import type { Aggregate, Budget } from "./aggregates.ts";
import type { Column, Command, Expression, SortKey } from "./ast.ts";
import { QueryLimitError } from "./error.ts";
import { compileExpression } from "./evaluate.ts";
import type { Evaluate } from "./evaluate.ts";
import type { QueryTimes } from "./functions/index.ts";
import { extract } from "./extract.ts";
import { Record } from "./record.ts";
import { isTrue, order, toText } from "./values.ts";
import type { Value } from "./values.ts";

export interface Stage {
  take(record: Record): void;
  /** Nothing more comes. */
  end(): void;
}

/** What a query may keep in memory until its end, in bytes. */
export const RETAINED_BYTES_MAX = 64 * 1_048_576;
/** Groups of one `stats`. */
const GROUPS_MAX = 100_000;
/** What a group takes beside its texts, in bytes. */
const GROUP_BYTES = 400;

/** Counts what all stages of a query keep. */
export class Retained implements Budget {
  distinct = 0;
  #bytes = 0;

  /** @throws QueryLimitError */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > RETAINED_BYTES_MAX)
      throw new QueryLimitError(
        `the query would keep more than ${RETAINED_BYTES_MAX} bytes in memory: filter more, or limit it`,
      );
  }
}

export interface StageContext {
  readonly times: QueryTimes;
  readonly retained: Retained;
}

export function filterStage(condition: Expression, context: StageContext, next: Stage): Stage {
  const test = compileExpression(condition, context);
  return {
    take: (record) => void (isTrue(test(record)) && next.take(record)),
    end: () => next.end(),
  };
}

/** Columns that are more than a field's own name are computed. */
export function fieldsStage(columns: readonly Column[], context: StageContext, next: Stage): Stage {
  const computed = columns
    .filter(({ expression, name }) => expression.kind !== "field" || expression.name !== name)
    .map(({ expression, name }) => ({ name, evaluate: compileExpression(expression, context) }));
  return {
    take(record) {
      for (const { name, evaluate } of computed) record.set(name, evaluate(record));
      next.take(record);
    },
    end: () => next.end(),
  };
}

export function parseStage(
  { from, pattern }: Extract<Command, { kind: "parse" }>,
  context: StageContext,
  next: Stage,
): Stage {
  const evaluate = compileExpression(from, context);
  return {
    take(record) {
      const [first, ...more] = extract(pattern, evaluate(record));
      const others = more.map((values) => ({ values, copy: record.copy() }));
      for (const [name, value] of first ?? []) record.set(name, value);
      next.take(record);
      for (const { values, copy } of others) {
        for (const [name, value] of values) copy.set(name, value);
        next.take(copy);
      }
    },
    end: () => next.end(),
  };
}

/** @param full Called once nothing more passes. */
export function limitStage(count: number, next: Stage, full: () => void = () => {}): Stage {
  let taken = 0;
  return {
    take(record) {
      if (taken >= count) return;
      next.take(record);
      if (++taken === count) full();
    },
    end: () => next.end(),
  };
}

/** Keeps the first of those that are alike; one that lacks a field is like no other. */
export function dedupStage(fields: readonly Column[], context: StageContext, next: Stage): Stage {
  const evaluates = fields.map(({ expression }) => compileExpression(expression, context));
  const seen = new Set<string>();
  return {
    take(record) {
      const values = evaluates.map((evaluate) => toText(evaluate(record)));
      if (values.every((value) => value !== undefined)) {
        const key = JSON.stringify(values);
        if (seen.has(key)) return;
        context.retained.add(key.length + GROUP_BYTES);
        seen.add(key);
      }
      next.take(record);
    },
    end: () => next.end(),
  };
}

/** @param most How many of the first are wanted of it; all where it is undefined */
export function sortStage(
  keys: readonly SortKey[],
  most: number | undefined,
  context: StageContext,
  next: Stage,
): Stage {
  const evaluates = keys.map(({ expression, descending }) => ({
    evaluate: compileExpression(expression, context),
    sign: descending ? -1 : 1,
  }));
  let kept: { readonly record: Record; readonly values: readonly Value[] }[] = [];
  const sort = () => {
    kept.sort((a, b) => {
      for (const [index, { sign }] of evaluates.entries()) {
        const found = order(a.values[index], b.values[index]);
        if (found !== 0) return found * sign;
      }
      return 0;
    });
  };
  return {
    take(record) {
      kept.push({ record, values: evaluates.map(({ evaluate }) => evaluate(record)) });
      record.release();
      context.retained.add(record.bytes);
      if (most === undefined || kept.length < 2 * most) return;
      sort();
      for (const { record: dropped } of kept.splice(most)) context.retained.add(-dropped.bytes);
    },
    end() {
      sort();
      for (const { record } of most === undefined ? kept : kept.slice(0, most)) next.take(record);
      kept = [];
      next.end();
    },
  };
}

interface Group {
  readonly values: readonly Value[];
  readonly aggregates: readonly Aggregate[];
}

/** `stats … by …`: one record for each group; one for all where there is no `by`. */
export function statsStage(
  { aggregates, by }: Extract<Command, { kind: "stats" }>,
  context: StageContext,
  next: Stage,
): Stage {
  const calls: { readonly name: string; readonly value: Evaluate; readonly percent: number | undefined }[] =
    [];
  let current: Group | undefined;
  const columns = aggregates.map(({ expression, name }) => ({
    name,
    evaluate: compileExpression(expression, {
      times: context.times,
      aggregate(call) {
        if (!AGGREGATE_NAMES.has(call.name)) return undefined;
        const [argument = { kind: "literal", value: 1 }, second] = call.arguments;
        const percent = second?.kind === "literal" ? Number(second.value) : undefined;
        const index =
          calls.push({ name: call.name, value: compileExpression(argument, context), percent }) - 1;
        return () => current?.aggregates[index]?.result();
      },
    }),
  }));
  const keys = by.map(({ expression, name }) => ({ name, evaluate: compileExpression(expression, context) }));
  const groups = new Map<string, Group>();
  const groupOf = (values: readonly Value[]) => {
    const key = JSON.stringify(values.map(toText));
    const known = groups.get(key);
    if (known) return known;
    if (groups.size >= GROUPS_MAX) throw new QueryLimitError(`stats makes at most ${GROUPS_MAX} groups`);
    context.retained.add(key.length + GROUP_BYTES * (1 + calls.length));
    const made = calls.map(({ name, percent }) => makeAggregate(name, context.retained, percent));
    const group = { values, aggregates: made };
    groups.set(key, group);
    return group;
  };
  return {
    take(record) {
      const group = groupOf(keys.map(({ evaluate }) => evaluate(record)));
      const at = record.get("@timestamp");
      for (const [index, { value }] of calls.entries()) group.aggregates[index]?.add(value(record), at);
    },
    end() {
      if (keys.length === 0) groupOf([]);
      for (const group of groups.values()) {
        current = group;
        const record = new Record();
        for (const [index, { name }] of keys.entries()) record.set(name, group.values[index]);
        for (const { name, evaluate } of columns) record.set(name, evaluate(record));
        next.take(record);
      }
      groups.clear();
      next.end();
    },
  };
}
