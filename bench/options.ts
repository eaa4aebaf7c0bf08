/** What the command line of the benchmarks says. */
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Axes to run, in order. */
  readonly axes: readonly number[];
  /** Undisturbed rounds that are wanted. */
  readonly rounds: number;
  /** Short turns and few functions: shows that the harness works, and little more. */
  readonly quick: boolean;
  /** The rows as one JSON array in the last line. */
  readonly json: boolean;
  /** The table is written into RESULTS.md. */
  readonly results: boolean;
  /** `runc`, which alone may be reported; `process` lets the smoke test run where there is no runc. */
  readonly sandbox: "runc" | "process";
  /** Leaves the peers out that must be installed first: for the smoke test. */
  readonly peers: boolean;
}

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
const ROUNDS = 5;

/** @throws Error naming the value that cannot be. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      axis: { type: "string" },
      axes: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean" },
      json: { type: "boolean" },
      results: { type: "boolean" },
    },
  });
  const rounds = Number(values.rounds ?? ROUNDS);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds} is no number of rounds`);
  if (values.results && values.quick)
    throw new Error("--results with --quick would publish figures that say little");
  return {
    axes: readAxes(values.axis ?? values.axes),
    rounds,
    quick: values.quick ?? false,
    json: values.json ?? false,
    results: values.results ?? false,
    sandbox: "runc",
    peers: true,
  };
}

/** `4`, `1,3` or `1-8`; all when absent. */
function readAxes(text: string | undefined): readonly number[] {
  if (text === undefined) return NUMBERS;
  const axes = text.split(",").flatMap((part) => {
    const [from, to = from] = part.split("-").map(Number);
    return NUMBERS.filter((axis) => axis >= (from ?? Number.NaN) && axis <= (to ?? Number.NaN));
  });
  if (axes.length === 0)
    throw new Error(`"${text}" names no axis; there are ${NUMBERS.join(", ")}, written 4, 1,3 or 1-8`);
  return axes;
}
