/** Puts a query's stages together, and makes rows of what comes out of them. Pure. */
import type { Command, SortKey } from "./ast.ts";
import type { QueryTimes } from "./functions/index.ts";
import { Record } from "./record.ts";
import type { QueriedEvent } from "./record.ts";
import {
  Retained,
  dedupStage,
  fieldsStage,
  filterStage,
  limitStage,
  parseStage,
  sortStage,
  statsStage,
} from "./stages.ts";
import type { Stage, StageContext } from "./stages.ts";
import { toText } from "./values.ts";

/** A row of a result: fields in order of their columns, those without a value left out. */
export type ResultRow = readonly (readonly [field: string, value: string])[];

export interface QueryRun {
  /** Events come with the newest first, group by group. */
  take(event: QueriedEvent): void;
  /** The rows, once all events were taken. */
  finish(): ResultRow[];
  /** Records that passed every filter so far. */
  readonly matched: number;
  /** Rows that are there already, where records need not wait for others. */
  readonly rows: readonly ResultRow[];
  /** Nothing that still came would be in the result. */
  readonly isFull: boolean;
}

export interface PlanOptions {
  /** Rows at most. */
  readonly limit: number;
  readonly times: QueryTimes;
  /** Events of several groups do not come in order of time. */
  readonly isOrdered: boolean;
}

const BY_TIME: SortKey = { expression: { kind: "field", name: "@timestamp" }, descending: true };

/** @throws QueryLimitError from `take` and `finish` */
export function planQuery(commands: readonly Command[], { limit, times, isOrdered }: PlanOptions): QueryRun {
  const context = { times, retained: new Retained() };
  let isFull = false;
  const rows: ResultRow[] = [];
  const columns = columnsOf(commands);
  const collect: Stage = {
    take(record) {
      const row = columns.flatMap((name) => {
        const text = toText(record.get(name));
        return text === undefined ? [] : [[name, text] as const];
      });
      context.retained.add(row.reduce((bytes, [name, text]) => bytes + name.length + text.length, 0));
      rows.push(row);
    },
    end: () => undefined,
  };
  const all = withDefaults(commands, limit, isOrdered);
  let matched = 0;
  const counted = lastFilter(all);
  let stage: Stage = collect;
  for (let index = all.length - 1; index >= 0; index--) {
    stage = stageOf(all[index] as Command, all[index + 1], context, stage, () => (isFull = true));
    if (index !== counted + 1) continue;
    const next = stage;
    stage = { take: (record) => (matched++, next.take(record)), end: () => next.end() };
  }
  return {
    get matched() {
      return matched;
    },
    rows,
    get isFull() {
      return isFull;
    },
    take: (event) => stage.take(new Record(event)),
    finish() {
      stage.end();
      return rows;
    },
  };
}

/** Index of the last filter before records become something else; -1 for none. */
function lastFilter(commands: readonly Command[]): number {
  const stats = commands.findIndex(({ kind }) => kind === "stats");
  const before = stats < 0 ? commands : commands.slice(0, stats);
  return before.findLastIndex(({ kind }) => kind === "filter");
}

/**
 * The last limit is in any case, and so is an order: the newest first, where nothing else is said. Records need it from the first command
 * on to which it matters.
 */
function withDefaults(commands: readonly Command[], limit: number, isOrdered: boolean): Command[] {
  const all: Command[] = [...commands, { kind: "limit", count: limit, isAny: false }];
  if (isOrdered) return all;
  const first = all.findIndex(({ kind }) => ["sort", "stats", "limit", "dedup"].includes(kind));
  const command = all[first];
  const isOpen = command?.kind === "dedup" || (command?.kind === "limit" && !command.isAny);
  if (isOpen) all.splice(first, 0, { kind: "sort", keys: [BY_TIME] });
  return all;
}

function stageOf(
  command: Command,
  following: Command | undefined,
  context: StageContext,
  next: Stage,
  full: () => void,
): Stage {
  switch (command.kind) {
    case "fields":
    case "display":
      return fieldsStage(command.columns, context, next);
    case "filter":
      return filterStage(command.condition, context, next);
    case "parse":
      return parseStage(command, context, next);
    case "stats":
      return statsStage(command, context, next);
    case "sort":
      return sortStage(
        command.keys,
        following?.kind === "limit" ? following.count : undefined,
        context,
        next,
      );
    case "limit":
      return limitStage(command.count, next, command.isAny ? full : undefined);
    default:
      return dedupStage(command.fields, context, next);
  }
}

/** The last `display` says what is shown; else what `fields` and `parse` named, or `stats` made. Events show their pointer, too. */
function columnsOf(commands: readonly Command[]): readonly string[] {
  let names: string[] = [];
  let isOfEvents = true;
  for (const command of commands)
    if (command.kind === "display") names = command.columns.map(({ name }) => name);
    else if (command.kind === "fields") names.push(...command.columns.map(({ name }) => name));
    else if (command.kind === "parse") names.push(...namesOf(command.pattern));
    else if (command.kind === "stats") {
      isOfEvents = false;
      names = [...command.by, ...command.aggregates].map(({ name }) => name);
    }
  if (!isOfEvents) return [...new Set(names)];
  const isNamed = commands.some(({ kind }) => kind === "fields" || kind === "display");
  const shown = isNamed ? names : ["@timestamp", "@message", ...names];
  return [...new Set([...shown, "@ptr"])];
}

function namesOf(pattern: Extract<Command, { kind: "parse" }>["pattern"]): readonly string[] {
  if ("name" in pattern) return [pattern.name];
  if (pattern.kind !== "regex") return pattern.names;
  const groups = [...pattern.regex.source.matchAll(/\(\?<([A-Za-z]\w*)>/g)].map((match) => match[1] ?? "");
  return pattern.names ?? groups;
}
