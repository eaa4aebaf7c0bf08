/** Subscription filters and metric filters of groups, and the class of a group. */
import type { Migration } from "../../../store/database.ts";

/**
 * `filters_revision` of a group is 0 where it has no filters, and else another number after each change of them: whoever takes events in
 * learns by it whether the filters that it knows are still those.
 */
export const filters: Migration = {
  name: "003-filters",
  sql: `
ALTER TABLE logs_group ADD COLUMN class text NOT NULL DEFAULT 'STANDARD';
ALTER TABLE logs_group ADD COLUMN filters_revision bigint NOT NULL DEFAULT 0;
CREATE TABLE logs_subscription_filter (
  group_id bigint NOT NULL,
  name text NOT NULL,
  pattern text NOT NULL,
  destination_arn text NOT NULL,
  role_arn text,
  distribution text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (group_id, name)
);
CREATE TABLE logs_metric_filter (
  group_id bigint NOT NULL,
  name text NOT NULL,
  pattern text NOT NULL,
  transformations text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (group_id, name)
);
`,
};
