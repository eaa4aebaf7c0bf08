/** Reads a query of CloudWatch Logs Insights. Pure. */
import { AGGREGATE_NAMES } from "./aggregate-names.ts";
import type { Column, Command, Expression, SortKey } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { QueryError } from "./error.ts";
import { parseExpression } from "./parse-expression.ts";
import { parseJsonField, parseParse } from "./parse-parse.ts";
import { QUERY_LENGTH_MAX } from "./tokens.ts";

/** As AWS allows. */
const STATS_MAX = 2;
const COMMANDS_MAX = 100;
const LIMIT_MAX = 100_000;
/** Commands of AWS's that this server has not. */
const NOT_HERE: ReadonlySet<string> = new Set([
  "pattern",
  "diff",
  "anomaly",
  "unmask",
  "unnest",
  "expand",
  "relevantfields",
  "lookup",
  "cidrlookup",
  "filterindex",
  "source",
  "join",
  "subquery",
  "addtotals",
  "appendcols",
  "autoregress",
  "logcompare",
  "filldown",
  "fillmissing",
  "outlier",
  "accum",
  "sessionize",
  "countfrequent",
  "count_frequent",
]);

/** @throws QueryError with the place */
export function parseQuery(query: string): Command[] {
  if (query.length > QUERY_LENGTH_MAX)
    throw new QueryError(
      `the query is longer than ${QUERY_LENGTH_MAX} characters`,
      QUERY_LENGTH_MAX,
      query.length,
    );
  const cursor = new Cursor(query);
  const commands: Command[] = [];
  if (cursor.next.kind === "pipe") cursor.take();
  for (;;) {
    const { start, end } = cursor.next;
    commands.push(parseCommand(cursor));
    if (commands.length > COMMANDS_MAX) throw new QueryError("the query has too many commands", start, end);
    checkStats(commands, start, end);
    if (cursor.next.kind === "end") return commands;
    if (cursor.next.kind !== "pipe") throw cursor.unexpected("| or the end of the query");
    cursor.take();
  }
}

/** @throws QueryError for too many of them, and for what may stand after all of them only */
function checkStats(commands: readonly Command[], start: number, end: number): void {
  if (commands.at(-1)?.kind !== "stats") return;
  if (commands.filter((one) => one.kind === "stats").length > STATS_MAX)
    throw new QueryError(`a query can have at most ${STATS_MAX} stats commands`, start, end);
  const first = commands.findIndex(({ kind }) => kind === "stats");
  const between = commands.slice(first).find(({ kind }) => kind === "sort" || kind === "limit");
  if (between)
    throw new QueryError(`${between.kind} cannot stand before the second stats command`, start, end);
}

function parseCommand(cursor: Cursor): Command {
  const token = cursor.next;
  const name = token.kind === "word" ? token.text.toLowerCase() : "";
  const read = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (read) {
    cursor.take();
    return read(cursor);
  }
  if (NOT_HERE.has(name))
    throw new QueryError(`Lambent does not implement the command ${token.text}`, token.start, token.end);
  throw cursor.unexpected(`a command: ${Object.keys(COMMANDS).join(", ")}`);
}

const COMMANDS: Readonly<Record<string, (cursor: Cursor) => Command>> = {
  fields: (cursor) => ({ kind: "fields", columns: columns(cursor) }),
  display: (cursor) => ({ kind: "display", columns: columns(cursor) }),
  filter: (cursor) => ({ kind: "filter", condition: plain(cursor) }),
  where: (cursor) => ({ kind: "filter", condition: plain(cursor) }),
  parse: (cursor) => parseParse(cursor, plain),
  json: parseJsonField,
  stats: parseStats,
  sort: parseSort,
  order: parseSort,
  limit: parseLimit,
  head: parseLimit,
  dedup: (cursor) => ({ kind: "dedup", fields: columns(cursor) }),
};

/** An expression in which no function counts over records. @throws QueryError */
function plain(cursor: Cursor): Expression {
  const expression = parseExpression(cursor);
  const call = aggregateIn(expression);
  if (call) throw new QueryError(`the function ${call.name} can be used in stats only`, call.start, call.end);
  return expression;
}

function columns(cursor: Cursor, one: (cursor: Cursor) => Expression = plain): Column[] {
  const list: Column[] = [];
  do {
    const { start, kind, text } = cursor.next;
    const expression = one(cursor);
    const written = expression.kind === "field" && kind === "field" ? text : cursor.textSince(start);
    const name = cursor.takeIf("as") ? cursor.takeName() : written;
    list.push({ expression, name });
  } while (cursor.takeIf(","));
  return list;
}

function parseStats(cursor: Cursor): Command {
  const { start, end } = cursor.next;
  cursor.isInStats = true;
  const aggregates = columns(cursor, (at) => parseExpression(at));
  const by = cursor.takeIf("by") ? columns(cursor) : [];
  const known = new Set(by.map(({ name }) => name));
  for (const { expression, name } of aggregates) {
    // What has no aggregate may only speak of columns that stand before it.
    const fields = fieldsIn(expression);
    const isOfColumns = fields.length > 0 && fields.every((field) => known.has(field));
    if (!aggregateIn(expression) && !isOfColumns)
      throw new QueryError(`${name} in stats is no aggregate function`, start, end);
    known.add(name);
  }
  const nested = aggregates.map(({ expression }) => nestedAggregate(expression)).find((one) => one);
  if (nested)
    throw new QueryError(`the function ${nested.name} stands within another`, nested.start, nested.end);
  cursor.isInStats = false;
  cursor.made([...known]);
  return { kind: "stats", aggregates, by };
}

function parseSort(cursor: Cursor): Command {
  const keys: SortKey[] = [];
  cursor.takeIf("by");
  do {
    const expression = plain(cursor);
    const descending = cursor.takeIf("desc");
    if (!descending) cursor.takeIf("asc");
    keys.push({ expression, descending });
  } while (cursor.takeIf(","));
  return { kind: "sort", keys };
}

function parseLimit(cursor: Cursor): Command {
  const isAny = cursor.takeIf("any");
  const token = cursor.next;
  const count = Number(token.text);
  if (token.kind !== "number" || !Number.isInteger(count)) throw cursor.unexpected("a number");
  if (count < 1 || count > LIMIT_MAX)
    throw new QueryError(`limit is 1 to ${LIMIT_MAX}`, token.start, token.end);
  cursor.take();
  return { kind: "limit", count, isAny };
}

type Call = Extract<Expression, { kind: "call" }>;

function aggregateIn(expression: Expression): Call | undefined {
  if (expression.kind === "call" && AGGREGATE_NAMES.has(expression.name)) return expression;
  return partsOf(expression)
    .map(aggregateIn)
    .find((one) => one !== undefined);
}

function fieldsIn(expression: Expression): readonly string[] {
  return expression.kind === "field" ? [expression.name] : partsOf(expression).flatMap(fieldsIn);
}

function nestedAggregate(expression: Expression): Call | undefined {
  const isAggregate = expression.kind === "call" && AGGREGATE_NAMES.has(expression.name);
  return partsOf(expression)
    .map(isAggregate ? aggregateIn : nestedAggregate)
    .find((one) => one !== undefined);
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "binary":
      return [expression.left, expression.right];
    case "not":
    case "negative":
      return [expression.of];
    case "call":
      return expression.arguments;
    case "list":
      return expression.items;
    default:
      return [];
  }
}
