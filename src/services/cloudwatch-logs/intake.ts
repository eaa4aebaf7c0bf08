/** Writes events to log groups in another service's transaction. */
import type { Transaction } from "../../store/database.ts";
import type { LogEvent } from "./chunk.ts";
import { appendEvents, createStream } from "./ingest.ts";
import { groupArn } from "./lookup.ts";
import { splitMessage } from "./limits.ts";
import type { LogsState } from "./state.ts";
import { getGroup, getStream } from "./store.ts";
import { mayWrite } from "./writers.ts";
import type { WritingService } from "./writers.ts";

export interface GroupIntake {
  /** Whether an ARN (with or without `:*` at its end) names a group that is there, and the account's policies let a service write to it. */
  check(groupArn: string, sender: WritingService, tx?: Transaction): Promise<"ok" | "missing" | "denied">;
  /** Appends to a stream of a group, made where it is missing, in the caller's transaction. */
  put(
    tx: Transaction,
    groupArn: string,
    stream: string,
    events: readonly LogEvent[],
    traceHeader?: string,
  ): Promise<"put" | "missing">;
}

/** `arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/name:*` */
const GROUP_ARN = /^arn:aws[a-z-]*:logs:([a-z0-9-]+):(\d{12}):log-group:([^:*]{1,512})(?::\*)?$/;

export function createIntake(state: LogsState): GroupIntake {
  return {
    async check(arn, sender, tx) {
      const [, region = "", account = "", name = ""] = GROUP_ARN.exec(arn) ?? [];
      const reader = tx ?? state.database;
      if (!(await getGroup(reader, account, region, name))) return "missing";
      const place = { account, region };
      return (await mayWrite(state, reader, place, groupArn(account, region, name), sender))
        ? "ok"
        : "denied";
    },
    async put(tx, groupArn, stream, events, traceHeader) {
      const [, region = "", account = "", name = ""] = GROUP_ARN.exec(groupArn) ?? [];
      const group = await getGroup(tx, account, region, name);
      if (!group) return "missing";
      const known = await getStream(tx, group.group_id, stream);
      const streamId = known?.stream_id ?? (await createStream(state, tx, group.group_id, stream));
      const lines = events.flatMap(splitMessage);
      await appendEvents(
        state,
        tx,
        { streamId, name: stream, place: { account, region, group: name } },
        lines,
        traceHeader,
      );
      return "put";
    },
  };
}
