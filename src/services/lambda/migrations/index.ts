/** The migrations of this service, in order. */
import type { Migration } from "../../../store/database.ts";
import { functions } from "./001-functions.ts";
import { eventInvokeConfigs } from "./002-event-invoke-configs.ts";
import { recursiveLoops } from "./003-recursive-loops.ts";
import { concurrency } from "./004-concurrency.ts";
import { layers } from "./005-layers.ts";
import { functionUrls } from "./006-function-urls.ts";
import { policyHeads } from "./007-policy-heads.ts";
import { codeSigning } from "./008-code-signing.ts";
import { referencedLayers } from "./009-referenced-layers.ts";

export const migrations: readonly Migration[] = [
  functions,
  eventInvokeConfigs,
  recursiveLoops,
  concurrency,
  layers,
  functionUrls,
  policyHeads,
  codeSigning,
  referencedLayers,
];
