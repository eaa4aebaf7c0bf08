/** The aggregate functions of `stats`, with how many arguments they take. */
export const AGGREGATE_NAMES: ReadonlyMap<string, readonly [least: number, most: number]> = new Map(
  Object.entries({
    count: [0, 1],
    count_distinct: [1, 1],
    sum: [1, 1],
    avg: [1, 1],
    min: [1, 1],
    max: [1, 1],
    pct: [2, 2],
    stddev: [1, 1],
    latest: [1, 1],
    earliest: [1, 1],
    sortsfirst: [1, 1],
    sortslast: [1, 1],
  } as const),
);
