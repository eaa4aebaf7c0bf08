/** The migrations of stream mappings' checkpoints, in order. */
import type { Migration } from "../../../store/database.ts";
import { checkpoints } from "./001-checkpoints.ts";

export const migrations: readonly Migration[] = [checkpoints];
