/** URLs of functions and aliases. */
import type { Migration } from "../../../store/database.ts";

export const functionUrls: Migration = {
  name: "006-function-urls",
  // The qualifier of an unqualified function is "". Where nothing of CORS is configured it is NULL.
  sql: `
    CREATE TABLE lambda_function_urls (
      account text NOT NULL,
      region text NOT NULL,
      function_name text NOT NULL,
      qualifier text NOT NULL,
      url_id text NOT NULL,
      auth_type text NOT NULL,
      invoke_mode text NOT NULL,
      cors text,
      created_at bigint NOT NULL,
      last_modified bigint NOT NULL,
      PRIMARY KEY (account, region, function_name, qualifier)
    );
    CREATE UNIQUE INDEX lambda_function_urls_by_id ON lambda_function_urls (url_id);
  `,
};
