/** Makes a version of $LATEST: immutable, numbered, and only when something changed since the last one. */
import type { Transaction } from "../../store/database.ts";
import { localFolder } from "./code/local-folders.ts";
import type { Lambda } from "./deps.ts";
import { invalidParameter } from "./errors.ts";
import { newestPublished, nextNumber, saveVersion } from "./store.ts";
import type { VersionRow } from "./version-row.ts";

/**
 * Publishes in the caller's transaction. Answers the version that has $LATEST's code and configuration: a new one,
 * or the newest there is when nothing changed since.
 */
export async function publish(
  lambda: Lambda,
  tx: Transaction,
  latest: VersionRow,
  description?: string,
): Promise<VersionRow> {
  if (localFolder(latest.codeSha256) !== undefined)
    throw invalidParameter(
      "A version cannot be published of code that runs from a folder of this machine, since that changes; deploy it as a zip file first.",
    );
  const newest = await newestPublished(tx, latest);
  // One whose snapshot could not be made may have been unlucky.
  if (newest?.fingerprint === latest.fingerprint && newest.state !== "Failed") return newest;
  const row: VersionRow = {
    ...latest,
    number: await nextNumber(tx, latest),
    deployment: lambda.ids.uuid(),
    configuration: { ...latest.configuration, description: description ?? latest.configuration.description },
    revision: lambda.ids.uuid(),
    lastModified: lambda.clock.now(),
    ...(isReady(latest) ? {} : CREATING),
    serving: null,
  };
  await saveVersion(tx, row);
  lambda.catalogue.changes(tx, latest);
  return row;
}

/** A version of an active function is active at once, unless a snapshot of it is to be made. */
function isReady({ state, updateStatus, configuration }: VersionRow): boolean {
  return state === "Active" && updateStatus === "Successful" && !configuration.snapStart;
}

/** The state of a version whose code, runtime or snapshot is not ready yet. */
export const CREATING = {
  state: "Pending",
  stateCode: "Creating",
  stateReason: "The function is being created.",
  updateStatus: null,
  updateCode: null,
  updateReason: null,
} as const;

/** The state of an active function while an update is made ready; what ran before goes on running. */
export const UPDATING = {
  updateStatus: "InProgress",
  updateCode: "Creating",
  updateReason: "The function is being created.",
} as const;
