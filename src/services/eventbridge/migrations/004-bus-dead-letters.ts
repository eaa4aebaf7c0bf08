/** Dead-letter queues of buses. */
import type { Migration } from "../../../store/database.ts";

/** `dead_letter` is a queue's ARN, "" for none. */
export const busDeadLetters: Migration = {
  name: "004-bus-dead-letters",
  sql: "ALTER TABLE events_bus ADD COLUMN dead_letter text NOT NULL DEFAULT '';",
};
