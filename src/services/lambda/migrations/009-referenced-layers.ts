/** Where the content of layer versions stays that is not stored here. */
import type { Migration } from "../../../store/database.ts";

export const referencedLayers: Migration = {
  name: "009-referenced-layers",
  sql: "ALTER TABLE lambda_layer_versions ADD COLUMN s3_object text;",
};
