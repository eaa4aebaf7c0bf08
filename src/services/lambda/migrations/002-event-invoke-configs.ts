/** How failed and aged asynchronous events of a function, version or alias are treated. */
import type { Migration } from "../../../store/database.ts";

export const eventInvokeConfigs: Migration = {
  name: "002-event-invoke-configs",
  // The qualifier of the unqualified function is `$LATEST`. What is not configured is NULL.
  sql: `
    CREATE TABLE lambda_event_invoke_configs (
      account text NOT NULL,
      region text NOT NULL,
      function_name text NOT NULL,
      qualifier text NOT NULL,
      last_modified bigint NOT NULL,
      retry_attempts bigint,
      event_age_seconds bigint,
      on_success text,
      on_failure text,
      PRIMARY KEY (account, region, function_name, qualifier)
    );
  `,
};
