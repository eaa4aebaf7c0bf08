/** Whether a function may be called in a loop. */
import type { Migration } from "../../../store/database.ts";

export const recursiveLoops: Migration = {
  name: "003-recursive-loops",
  sql: "ALTER TABLE lambda_functions ADD COLUMN recursive_loop text NOT NULL DEFAULT 'Terminate';",
};
