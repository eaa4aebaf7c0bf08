/** The one table of axes. */
import { warmCost } from "./axis-1-warm-cost/run.ts";
import { warmLatency } from "./axis-2-warm-latency/run.ts";
import { coldStart } from "./axis-4-cold-start/run.ts";
import { runtimeApiCost } from "./axis-3-runtime-api/run.ts";
import { poolMiss } from "./axis-5-pool-miss/run.ts";
import { burst } from "./axis-6-burst/run.ts";
import { density } from "./axis-7-density/run.ts";
import { asyncIntake } from "./axis-8-async-intake/run.ts";
import { queues } from "./axis-9-sqs/run.ts";
import { queueToFunction } from "./axis-10-queue-to-function/run.ts";
import { stores } from "./axis-11-stores/run.ts";
import { images } from "./axis-12-images/run.ts";
import { pushes } from "./axis-13-pushes/run.ts";
import type { BenchOptions } from "./options.ts";
import type { AxisResult } from "./report.ts";

export interface Axis {
  readonly title: string;
  run(options: BenchOptions): Promise<AxisResult>;
}

export const AXES: Readonly<Record<number, Axis>> = {
  1: { title: "Axis 1: warm invocation, CPU of all serving processes, 32 callers", run: warmCost },
  2: { title: "Axis 2: warm invocation, latency, one caller", run: warmLatency },
  3: { title: "Axis 3: custom runtime, CPU of all serving processes", run: runtimeApiCost },
  4: { title: "Axis 4: cold start of code that never ran, pool hit", run: coldStart },
  5: { title: "Axis 5: cold start when nothing waits, and the sandbox's part of it", run: poolMiss },
  6: { title: "Axis 6: a burst of first calls, and starts per second", run: burst },
  7: { title: "Axis 7: private memory of an idle environment", run: density },
  8: { title: "Axis 8: asynchronous invocations accepted, durable", run: asyncIntake },
  9: { title: "Axis 9: messages of SQS, durable, CPU of the server and messages a second", run: queues },
  10: { title: "Axis 10: from a queue to a function by an event source mapping", run: queueToFunction },
  11: {
    title: "Axis 11: stores, CPU of an item put and got, a record put, an object put and got; 16 callers",
    run: stores,
  },
  12: {
    title: "Axis 12: the first answer of a container image, and with its lower layers there",
    run: images,
  },
  13: {
    title: "Axis 13: topics and event buses, durable, CPU of the server; from a publisher to a receiver",
    run: pushes,
  },
};
