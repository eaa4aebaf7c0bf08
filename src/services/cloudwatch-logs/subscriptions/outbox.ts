/** The durable note, written with the events, that subscriptions have something to send: where the events lie, not the events. */
import type { Transaction } from "../../../store/database.ts";
import type { Queue } from "../../../store/queue.ts";

export const SUBSCRIPTIONS_TOPIC = "logs.subscriptions";

/** A filter as it was when the events came: one that is changed or deleted later changes nothing for them. */
export interface NotedFilter {
  readonly name: string;
  readonly pattern: string;
  readonly destinationArn: string;
  readonly roleArn: string | null;
  readonly distribution: "Random" | "ByLogStream";
}

export interface NotedGroup {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export interface Note {
  readonly group: NotedGroup;
  /** Those that match some of the events. */
  readonly filters: readonly NotedFilter[];
  readonly streamId: number;
  readonly stream: string;
  /** Both ends are included. */
  readonly fromChunk: number;
  readonly toChunk: number;
  /** X-Amzn-Trace-Id of what wrote the events: a function that is fed by what it logs is stopped by the lineage in it. */
  readonly traceHeader?: string;
}

export async function noteEvents(queue: Queue, tx: Transaction, note: Note): Promise<void> {
  await queue.enqueue(tx, {
    topic: SUBSCRIPTIONS_TOPIC,
    group: String(note.streamId),
    payload: Buffer.from(JSON.stringify(note)),
  });
}

export function readNote(payload: Buffer): Note {
  return JSON.parse(payload.toString()) as Note;
}

/** Of several traces that in whose chain some function ran most often: merging must not make a loop look new. */
export function furthestTrace(headers: readonly (string | undefined)[]): string | undefined {
  let [furthest, most] = [headers[0], -1];
  for (const header of headers) {
    if (header === undefined) continue;
    const lineage = /(?:^|;)\s*Lineage=([^;]*)/i.exec(header)?.[1] ?? "";
    const runs = [...lineage.matchAll(/(\d+):[0-9a-f]{8}/g)].map((match) => Number(match[1]));
    const own = Math.max(0, ...runs);
    if (own > most) [furthest, most] = [header, own];
  }
  return furthest;
}
