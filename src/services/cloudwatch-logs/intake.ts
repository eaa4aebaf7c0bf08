/** Writes events to log groups in another service's transaction. */
import type { Transaction } from "../../store/database.ts";
import type { LogEvent } from "./chunk.ts";
import { appendEvents, createStream } from "./ingest.ts";
import { splitMessage } from "./limits.ts";
import type { LogsState } from "./state.ts";
import { getGroup, getStream } from "./store.ts";

export interface GroupIntake {
  /** Whether an ARN (with or without `:*` at its end) names a group that is there. */
  exists(groupArn: string): Promise<boolean>;
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
    async exists(groupArn) {
      const [, region = "", account = "", name = ""] = GROUP_ARN.exec(groupArn) ?? [];
      return (await getGroup(state.database, account, region, name)) !== undefined;
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
