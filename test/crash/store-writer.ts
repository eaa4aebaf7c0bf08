/** Writes to a store as hard as it can, says on stdout what was acknowledged, and is killed while it does. */
import { writeSync } from "node:fs";
import { Readable } from "node:stream";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { openStore } from "../../src/store/index.ts";
import type { Job, StoreOptions } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { INSERT_HALF, blobContent, migrations, rewrittenContent } from "./store-content.ts";

const [dataDir = "", round = "", postgresUrl] = process.argv.slice(2);
const options: StoreOptions = {
  dataDir,
  engine: postgresUrl === undefined ? "sqlite" : "postgres",
  postgresUrl,
  clock: systemClock,
  ids: randomIds,
  log: createLog("error"),
};

/** Written at once and unbuffered, so that what the parent has read is what was acknowledged. */
function say(...words: (string | number)[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}

const { database, queue, blobs } = await openStore(options);
await database.migrate("crash", migrations);
say("open");

/** Two rows and a job, in one transaction. */
async function writePairs(writer: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const id = `${round}-${writer}-${turn}`;
    await database.tx(async (tx) => {
      await tx.run(INSERT_HALF, id, "left", Buffer.alloc((turn % 7) * 1_000, writer));
      await queue.enqueue(tx, { topic: "work", id, payload: Buffer.from(id) });
      await tx.run(INSERT_HALF, id, "right", null);
    });
    say("pair", id);
  }
}

/** Takes jobs, and finishes them in one transaction with a row that says so. */
async function consume(): Promise<never> {
  for (;;) {
    for (const job of await queue.claim("work", 4, 1_000)) await finish(job);
    await queue.wait("work", AbortSignal.timeout(50));
  }
}

async function finish(job: Job): Promise<void> {
  const done = await database.tx(async (tx) => {
    if (!(await queue.acknowledge(job, tx))) return false;
    await tx.run(INSERT_HALF, job.id, "done", null);
    return true;
  });
  if (done) say("done", job.id);
}

async function writeBlobs(writer: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const name = `new/${round}/${writer}-${turn}`;
    await blobs.put(name, Readable.from([blobContent(name)]));
    say("blob", name);
    await blobs.put("rewritten", rewrittenContent(turn));
    say("rewritten", "once");
    const stored = await blobs.putByContent("content", blobContent(name));
    say("content", stored.name);
    if (turn % 3 === 2) {
      await blobs.delete(name);
      say("deleted", name);
    }
  }
}

await Promise.all([...[0, 1, 2, 3, 4, 5].map(writePairs), consume(), ...[0, 1].map(writeBlobs)]);
