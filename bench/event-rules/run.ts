/**
 * What finding the rules of an event costs, with 1, 100 and 10,000 rules on a bus: by our set of patterns, and by trying each pattern in turn;
 * and what it costs for the first event after one of them was changed.
 * `npm run bench:event-rules [-- ROUNDS]`; a table on stderr, JSON on stdout.
 */
import { ALL_OPERATORS, PatternSet, compilePattern, parseJson } from "../../src/aws/event-pattern/index.ts";
import type { PatternEntry } from "../../src/aws/event-pattern/index.ts";
import { median } from "../statistics.ts";

const ROUNDS_DEFAULT = 15;
const COUNTS = [1, 100, 10_000];
/** Time that each contender runs in each round. */
const SLICE_MS = 20;
const WARM_UP_ROUNDS = 3;
const NS_PER_US = 1e3;

/** The rules of one bus: all of one source and type, each of its own value of one field. */
const KINDS: Readonly<Record<string, (at: number) => object>> = {
  exact: (at) => ({ customer: [`c${at}`] }),
  prefix: (at) => ({ path: [{ prefix: `/tenants/${at}/` }] }),
  numeric: (at) => ({ amount: [{ numeric: [">=", at, "<", at + 1] }] }),
  or: (at) => ({ $or: [{ customer: [`c${at}`] }, { amount: [at + 0.5] }] }),
};

const event = parseJson(
  JSON.stringify({
    version: "0",
    id: "4edeb1d7-bae4-0302-b6b6-a9e8b7cd38f0",
    "detail-type": "Order",
    source: "shop",
    account: "000000000000",
    time: "2026-11-30T00:00:00Z",
    region: "us-east-1",
    resources: [],
    detail: { customer: "c0", path: "/tenants/0/orders/9", amount: 0.5, items: ["a", "b"], note: "text" },
  }),
);

interface Row {
  readonly kind: string;
  readonly rules: number;
  /** Microseconds an event, the median of the rounds. */
  readonly indexed: number;
  readonly eachTried: number;
  /** Where a rule is changed before. */
  readonly changed: number;
}

function entries(kind: string, count: number): PatternEntry<number>[] {
  return Array.from({ length: count }, (_, item) => {
    const pattern = { source: ["shop"], "detail-type": ["Order"], detail: KINDS[kind]?.(item) };
    const text = JSON.stringify(pattern);
    return { item, text, matches: compilePattern(text, { operators: ALL_OPERATORS }) };
  });
}

function microseconds(run: () => number): number {
  const end = process.hrtime.bigint() + BigInt(SLICE_MS * 1e6);
  const start = process.hrtime.bigint();
  let runs = 0;
  do {
    run();
    runs += 1;
  } while (process.hrtime.bigint() < end);
  return Number(process.hrtime.bigint() - start) / NS_PER_US / runs;
}

function measure(kind: string, rules: number, rounds: number): Row {
  const all = entries(kind, rules);
  const set = new PatternSet(all);
  const indexed = () => set.match(event).length;
  const eachTried = () => all.filter(({ matches }) => matches(event)).length;
  if (indexed() !== 1 || eachTried() !== 1) throw new Error(`${kind} ${rules}: not one rule matches`);
  let turn = 0;
  const changed = () => {
    const entry = all[turn++ % rules] as PatternEntry<number>;
    set.remove(entry);
    set.add(entry);
    return indexed();
  };
  const times = { indexed: [] as number[], eachTried: [] as number[], changed: [] as number[] };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++)
    for (const [name, run] of [
      ["indexed", indexed],
      ["eachTried", eachTried],
      ["changed", changed],
    ] as const) {
      const time = microseconds(run);
      if (round >= 0) times[name].push(time);
    }
  const { indexed: found, eachTried: tried, changed: anew } = times;
  return { kind, rules, indexed: median(found), eachTried: median(tried), changed: median(anew) };
}

const rounds = Number(process.argv[2] ?? ROUNDS_DEFAULT);
const rows = Object.keys(KINDS).flatMap((kind) => COUNTS.map((rules) => measure(kind, rules, rounds)));
for (const { kind, rules, indexed, eachTried, changed } of rows)
  console.error(
    `${kind.padEnd(8)} ${String(rules).padStart(6)} rules: ${indexed.toFixed(2).padStart(8)} us an event, ` +
      `${eachTried.toFixed(2).padStart(8)} us each tried in turn, ${changed.toFixed(2).padStart(8)} us after a change`,
  );
console.log(JSON.stringify(rows));
