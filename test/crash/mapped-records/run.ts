/**
 * Records of queues, streams and tables while their function throws at some, crashes at others, and the server is killed: every good
 * record is handled, every poison record is in its destination, order holds by key and group, and nothing else is anywhere.
 */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { deployFunction, makeRole } from "../../harness/functions.ts";
import { Life } from "../../harness/life.ts";
import { clientOptions } from "../../harness/server.ts";
import { KEYS, createFeeds } from "./feeds.ts";
import type { Feed } from "./feeds.ts";

export interface Scale {
  /** Of each source. */
  readonly records: number;
  /** One record in so many makes the function throw, or report it, each time. */
  readonly poisonEvery: number;
  /** One in so many ends the function's process, once. */
  readonly crashEvery: number;
  readonly kills: number;
  /** Longest wait without any progress. */
  readonly stillMsMax: number;
}

export interface Told {
  readonly handled: number;
  readonly again: number;
  readonly poison: number;
}

/** Receives that a queue's message is given beyond those that kills may cost it. */
const SPARE_RECEIVES = 3;

/** Notes each record in a file that no server knows of; it runs on a plain process, which may write there. */
const source = (folder: string, { poisonEvery, crashEvery }: Scale) => `
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
const FOLDER = ${JSON.stringify(folder)};
const read = (record) => {
  if (record.kinesis) return { feed: "stream", n: Number(Buffer.from(record.kinesis.data, "base64")) };
  if (record.dynamodb) return { feed: "table", n: Number(record.dynamodb.NewImage.n.N) };
  const feed = record.eventSourceARN.endsWith(".fifo") ? "fifo" : "queue";
  return { feed, n: Number(record.body), id: record.messageId };
};
export const handler = async ({ Records }) => {
  const failed = [];
  const held = new Set();
  for (const record of Records) {
    const { feed, n, id } = read(record);
    if (n % ${crashEvery} === ${crashEvery - 1} && !existsSync(FOLDER + "/crashed-" + feed + n)) {
      writeFileSync(FOLDER + "/crashed-" + feed + n, "");
      process.exit(1);
    }
    const isPoison = n % ${poisonEvery} === ${Math.floor(poisonEvery / 2)};
    if (isPoison && id === undefined) throw new Error("poison");
    if (isPoison || (feed === "fifo" && held.has(n % ${KEYS}))) {
      held.add(n % ${KEYS});
      failed.push({ itemIdentifier: id });
    } else appendFileSync(FOLDER + "/" + feed, n + "\\n");
  }
  return { batchItemFailures: failed };
};`;

export async function runMappedRecords(
  scale: Scale,
  progress: (told: string) => void = () => {},
): Promise<Record<string, Told>> {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-crash-"));
  const folder = await mkdtemp(join(tmpdir(), "lambent-runs-"));
  await chmod(folder, 0o777);
  const flags = ["--data-dir", dataDir, "--sandbox", "process", "--log-level", "error"];
  const life = await Life.begin([...flags, "--shard-throughput", "0"]);
  try {
    const feeds = createFeeds(clientOptions(life.endpoint));
    await prepare(life.endpoint, folder, feeds, scale);
    const counts = async () => (await Promise.all(feeds.map((feed) => linesOf(folder, feed)))).flat().length;
    await Promise.all([
      ...feeds.map((feed) => sendAll(feed, scale.records)),
      killAll(life, scale, counts, feeds.length, progress),
    ]);
    return await check(feeds, folder, scale, progress);
  } finally {
    await life.end();
    await rm(dataDir, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(
  endpoint: string,
  folder: string,
  feeds: readonly Feed[],
  scale: Scale,
): Promise<void> {
  const options = clientOptions(endpoint);
  const RoleName = "test-function";
  await makeRole(options, RoleName);
  const Statement = [{ Effect: "Allow", Action: ["sqs:*", "kinesis:*", "dynamodb:*"], Resource: "*" }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await new IAMClient(options).send(
    new PutRolePolicyCommand({ RoleName, PolicyName: "sources", PolicyDocument }),
  );
  const lambda = await deployFunction(
    options,
    "handler",
    { "index.mjs": source(folder, scale) },
    { Timeout: 2 },
  );
  for (const feed of feeds) {
    const settings = await feed.make(scale.kills + SPARE_RECEIVES);
    await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: "handler", ...settings }));
  }
}

async function sendAll(feed: Feed, records: number): Promise<void> {
  for (let from = 0; from < records;) {
    const count = Math.min(feed.together, records - from);
    const numbers = Array.from({ length: count }, (_, at) => from + at);
    const isSent = await feed.send(numbers).then(
      () => true,
      () => false,
    );
    if (isSent) from += count;
    else await sleep(50);
  }
}

/** Kills once in each part of the work. */
async function killAll(
  life: Life,
  { kills, records, stillMsMax }: Scale,
  counts: () => Promise<number>,
  feeds: number,
  progress: (told: string) => void,
): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    const at = ((kill + 0.5) / kills) * records * feeds * 0.9;
    for (let end = Date.now() + stillMsMax; (await counts()) < at; await sleep(20))
      assert.ok(Date.now() < end, `no ${Math.round(at)} records were handled before kill ${kill + 1}`);
    await life.kill();
    progress(`killed after ${Math.round(at)} records`);
  }
}

/** Waits until all is done, and then looks whether it is done right. */
async function check(
  feeds: readonly Feed[],
  folder: string,
  scale: Scale,
  progress: (told: string) => void,
): Promise<Record<string, Told>> {
  const all = Array.from({ length: scale.records }, (_, n) => n);
  const isPoison = (n: number) => n % scale.poisonEvery === Math.floor(scale.poisonEvery / 2);
  const [good, poison] = [all.filter((n) => !isPoison(n)), all.filter(isPoison)];
  const told: Record<string, Told> = {};
  for (const feed of feeds) {
    const found = new Set<number>();
    let handled: readonly number[] = [];
    let seen = -1;
    for (let end = Date.now() + scale.stillMsMax; ; await sleep(100)) {
      await feed.collect(found);
      handled = await linesOf(folder, feed);
      if (new Set(handled).size >= good.length && found.size >= poison.length) break;
      if (handled.length + found.size > seen) end = Date.now() + scale.stillMsMax;
      seen = handled.length + found.size;
      if (Date.now() > end) break;
    }
    const first = [...new Set(handled)];
    assert.deepEqual(missingOf(good, first), [], `${feed.name}: good records that were not handled`);
    assert.deepEqual([...found].toSorted(byNumber), poison, `${feed.name}: what is in the destination`);
    assert.deepEqual(missingOf(first, good), [], `${feed.name}: what was handled and is no good record`);
    if (feed.isOrdered)
      for (let key = 0; key < KEYS; key++) {
        const ofKey = first.filter((n) => n % KEYS === key);
        assert.deepEqual(ofKey, ofKey.toSorted(byNumber), `${feed.name}: the order of key ${key}`);
      }
    told[feed.name] = { handled: first.length, again: handled.length - first.length, poison: found.size };
    progress(`${feed.name}: ${JSON.stringify(told[feed.name])}`);
  }
  return told;
}

const byNumber = (one: number, other: number) => one - other;

function missingOf(wanted: readonly number[], there: readonly number[]): number[] {
  const set = new Set(there);
  return wanted.filter((n) => !set.has(n));
}

/** What the function has noted of a feed's records, in order. */
async function linesOf(folder: string, feed: Feed): Promise<number[]> {
  const text = await readFile(join(folder, feed.name), "utf8").catch(() => "");
  return text.split("\n").slice(0, -1).map(Number);
}
