/** Records of four sources through event source mappings, with poison, crashes and killed servers; the whole of it is `npm run soak:records`. */
import { test } from "node:test";
import { runMappedRecords } from "./mapped-records/run.ts";

test("each good record of a queue, a FIFO queue, a stream and a table is handled, in order by key, over two kills; each poison one is in its destination", async (t) => {
  const told = await runMappedRecords({
    records: 500,
    poisonEvery: 100,
    crashEvery: 250,
    kills: 2,
    stillMsMax: 60_000,
  });
  for (const [feed, { handled, again, poison }] of Object.entries(told))
    t.diagnostic(`${feed}: handled ${handled}, ${again} times again, in the destination ${poison}`);
});
