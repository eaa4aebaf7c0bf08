/** The aggregate functions of `stats`, each as something that takes values and answers once. Pure. */
import { QueryLimitError } from "./error.ts";
import { Quantiles } from "./quantiles.ts";
import { compare, order, toNumber, toText } from "./values.ts";
import type { Value } from "./values.ts";

export interface Aggregate {
  /**
   * @param value Of the function's argument
   * @param at The record's time, for `latest` and `earliest`
   */
  add(value: Value, at: Value): void;
  result(): Value;
}

/** Different values that a query's count_distinct may have to know, over all its groups. */
const DISTINCT_MAX = 1_000_000;

export interface Budget {
  /** Values that are counted as distinct already. */
  distinct: number;
}

/** @param percent Of pct */
export function makeAggregate(name: string, budget: Budget, percent: number | undefined): Aggregate {
  const make = AGGREGATES[name];
  if (!make) throw new Error(`${name} is no aggregate function`);
  return make(budget, percent ?? 50);
}

const AGGREGATES: Readonly<Record<string, (budget: Budget, percent: number) => Aggregate>> = {
  count() {
    let count = 0;
    return {
      add: (value) => void (value !== undefined && count++),
      result: () => count,
    };
  },
  count_distinct: distinct,
  sum() {
    let sum = 0;
    return {
      add: (value) => void (sum += toNumber(value) ?? 0),
      result: () => sum,
    };
  },
  avg() {
    let [sum, count] = [0, 0];
    return {
      add(value) {
        const number = toNumber(value);
        if (number === undefined) return;
        sum += number;
        count++;
      },
      result: () => (count === 0 ? undefined : sum / count),
    };
  },
  min: () => extreme(-1),
  max: () => extreme(1),
  pct(_budget, percent) {
    const quantiles = new Quantiles();
    return {
      add(value) {
        const number = toNumber(value);
        if (number !== undefined) quantiles.add(number);
      },
      result: () => quantiles.at(percent),
    };
  },
  stddev: deviation,
  latest: () => byTime(1),
  earliest: () => byTime(-1),
  sortsfirst: () => bySort(-1),
  sortslast: () => bySort(1),
};

function distinct(budget: Budget): Aggregate {
  const seen = new Set<string>();
  return {
    add(value) {
      const text = toText(value);
      if (text === undefined || seen.has(text)) return;
      if (++budget.distinct > DISTINCT_MAX)
        throw new QueryLimitError(`count_distinct knows at most ${DISTINCT_MAX} different values`);
      seen.add(text);
    },
    result: () => seen.size,
  };
}

function extreme(wanted: 1 | -1): Aggregate {
  let best: Value;
  return {
    add(value) {
      const found = compare(value, best);
      if (best === undefined || (found !== undefined && Math.sign(found) === wanted)) best = value ?? best;
    },
    result: () => best,
  };
}

/** Of the sample, kept by Welford's running sums, which do not cancel out. */
function deviation(): Aggregate {
  let [count, mean, squares] = [0, 0, 0];
  return {
    add(value) {
      const number = toNumber(value);
      if (number === undefined) return;
      count++;
      const before = number - mean;
      mean += before / count;
      squares += before * (number - mean);
    },
    result: () => (count < 2 ? (count === 0 ? undefined : 0) : Math.sqrt(squares / (count - 1))),
  };
}

function byTime(wanted: 1 | -1): Aggregate {
  let [best, bestAt]: [Value, number | undefined] = [undefined, undefined];
  return {
    add(value, at) {
      const time = toNumber(at);
      if (value === undefined || time === undefined) return;
      if (bestAt === undefined || Math.sign(time - bestAt) === wanted) [best, bestAt] = [value, time];
    },
    result: () => best,
  };
}

function bySort(wanted: 1 | -1): Aggregate {
  let best: Value;
  return {
    add(value) {
      if (value === undefined) return;
      if (best === undefined || Math.sign(order(value, best)) === wanted) best = value;
    },
    result: () => best,
  };
}
