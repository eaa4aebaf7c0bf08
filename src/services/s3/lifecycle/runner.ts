/**
 * Lets expire what the buckets' lifecycles say: now and then all buckets, a little at a time, so that other writers get their turn. Of
 * servers that share a database one does so; what a lifecycle that was just given lets expire is removed by the server that took it.
 */
import { BackgroundWork } from "../../../kit/background-work.ts";
import { every } from "../../../kit/clock.ts";
import type { Lease } from "../../../store/lease.ts";
import type { S3 } from "../deps.ts";
import { fetchUploads, fetchVersions } from "../listing/fetch.ts";
import { afterPrefix } from "../listing/keys.ts";
import type { Cursor, Fetch, Place } from "../listing/walk.ts";
import { bucketsWithLifecycle } from "../store-buckets.ts";
import type { ListedVersion } from "../store-listing.ts";
import { expireUpload, expireVersion } from "./expire.ts";
import { abortionOf, enabledRules, expiryOf, markerExpiryOf, noncurrentExpiryOf } from "./rules.ts";
import type { Rule } from "./rules.ts";

/** AWS looks once a day; things are due at midnight. */
const PERIOD_MS = 3_600_000;
/** What looks now and then is one server. */
const LEASE = "s3.lifecycles";
/** One that has ended without giving its lease back is followed by another after so long, at the next look. */
const LEASE_MS = 1.5 * PERIOD_MS;
const ROWS_PER_PAGE = 500;
/** Removals of one transaction. */
const REMOVALS_PER_COMMIT = 100;
/** Above every key. */
const END = afterPrefix(Buffer.alloc(0));

export interface LifecycleRunner {
  /** Looks at all buckets in the background; again, where it is doing so. */
  soon(): void;
  stop(): Promise<void>;
}

export function startLifecycles(s3: S3): LifecycleRunner {
  const turn = new Turn(s3);
  const removals = new BackgroundWork({
    work: (signal) => runAll(s3, signal),
    failed: (error) => s3.log.error("objects that have expired could not be removed", { error }),
  });
  const soon = () => removals.soon();
  const inTurn = async () => {
    if (await turn.isOurs()) soon();
  };
  const look = () => {
    inTurn().catch((error: unknown) =>
      s3.log.error("who lets objects expire could not be settled", { error }),
    );
  };
  const cancel = every(s3.clock, PERIOD_MS, look);
  look();
  return {
    soon,
    async stop() {
      cancel();
      await removals.stop();
      await turn.end();
    },
  };
}

/** Whose turn it is to look at all buckets: with SQLite this server's, else the one's that has the lease. */
class Turn {
  readonly #s3: Pick<S3, "database" | "leases" | "ids">;
  readonly #owner: string;
  #lease: Lease | undefined;

  constructor(s3: Pick<S3, "database" | "leases" | "ids">) {
    this.#s3 = s3;
    this.#owner = s3.ids.uuid();
  }

  async isOurs(): Promise<boolean> {
    if (this.#s3.database.engine === "sqlite") return true;
    if (await this.#lease?.renew()) return true;
    this.#lease = await this.#s3.leases.acquire(LEASE, this.#owner, LEASE_MS);
    return this.#lease !== undefined;
  }

  /** Leaves it to others. */
  async end(): Promise<void> {
    await this.#lease?.release();
    this.#lease = undefined;
  }
}

async function runAll(s3: S3, signal: AbortSignal): Promise<void> {
  for (const { name, lifecycle } of await bucketsWithLifecycle(s3.database)) {
    const rules = enabledRules(lifecycle);
    await removeDue(
      s3,
      signal,
      fetchVersions(s3.database, name),
      dueVersions(rules, s3.clock.now()),
      (place) => expireVersion(s3, name, place),
    );
    const now = s3.clock.now();
    const isDue = ({ object_key, initiated_at }: { object_key: Buffer; initiated_at: number }) =>
      (abortionOf(rules, object_key.toString(), initiated_at)?.at ?? Infinity) <= now;
    if (rules.some(({ abortDays }) => abortDays !== undefined))
      await removeDue(s3, signal, fetchUploads(s3.database, name), isDue, ({ upload_id }) =>
        expireUpload(s3, name, upload_id),
      );
  }
}

/** Walks rows in their order, and removes those that look as if they were due; each removal looks again. */
async function removeDue<Row extends Place>(
  s3: S3,
  signal: AbortSignal,
  fetch: Fetch<Row>,
  isDue: (row: Row) => boolean,
  remove: (
    row: Row,
  ) => (tx: Parameters<Parameters<S3["database"]["tx"]>[0]>[0]) => Promise<readonly (string | null)[]>,
): Promise<void> {
  let cursor: Cursor = { from: Buffer.alloc(0) };
  for (;;) {
    const page: readonly Row[] = await fetch(cursor, END, ROWS_PER_PAGE);
    const due = page.filter(isDue);
    for (let at = 0; at < due.length && !signal.aborted; at += REMOVALS_PER_COMMIT) {
      const batch = due.slice(at, at + REMOVALS_PER_COMMIT).map(remove);
      const garbage = await s3.database.tx(async (tx) => {
        const removed: (string | null)[] = [];
        for (const one of batch) removed.push(...(await one(tx)));
        return removed;
      });
      s3.content.discard(garbage);
    }
    const last = page.at(-1);
    if (page.length < ROWS_PER_PAGE || !last || signal.aborted) return;
    cursor = { after: last };
  }
}

/** Whether versions, told by key and the newest first, may be due; their tags are not looked at yet. */
function dueVersions(rules: readonly Rule[], now: number): (row: ListedVersion) => boolean {
  let newer: ListedVersion | undefined;
  let noncurrent = 0;
  return (row) => {
    const isCurrent = !newer?.object_key.equals(row.object_key);
    const key = row.object_key.toString();
    const subject = { key, size: row.size, tags: undefined, isMarker: row.is_marker === 1 };
    const due = isCurrent
      ? subject.isMarker
        ? markerExpiryOf(rules, key, row.modified_at)
        : expiryOf(rules, subject, row.modified_at)
      : noncurrentExpiryOf(rules, subject, { since: newer?.modified_at ?? now, newer: noncurrent });
    noncurrent = isCurrent ? 0 : noncurrent + 1;
    newer = row;
    return due !== undefined && due.at <= now;
  };
}
