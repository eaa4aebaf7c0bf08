/** `npm run soak:records -- --records 25000`: so many of each source, one in a thousand poison, one in ten thousand a crash, five kills. */
import { parseArgs } from "node:util";
import { runMappedRecords } from "./run.ts";

const { values } = parseArgs({ options: { records: { type: "string", default: "25000" } } });
const startedAt = Date.now();
const told = await runMappedRecords(
  {
    records: Number(values.records),
    poisonEvery: 1_000,
    crashEvery: 10_000,
    kills: 5,
    stillMsMax: 120_000,
  },
  (line) => console.log(`${((Date.now() - startedAt) / 1_000).toFixed(0)} s: ${line}`),
);
console.log(JSON.stringify(told));
