/** What updates of code and of configuration share: when one may begin, and what $LATEST is while it is made ready. */
import type { Transaction } from "../../store/database.ts";
import type { Lambda } from "./deps.ts";
import { staleRevision } from "./errors.ts";
import { requireSettled } from "./lookup.ts";
import { CREATING, UPDATING } from "./publish.ts";
import { saveVersion } from "./store.ts";
import type { VersionRow } from "./version-row.ts";

/** @throws PreconditionFailedException for another revision, ResourceConflictException while something is in progress. */
export function requireUpdatable(row: VersionRow, revision: string | undefined): void {
  requireSettled(row);
  if (revision !== undefined && revision !== row.revision) throw staleRevision();
}

/** Saves the new $LATEST as in progress; what ran before goes on running. A function that had failed begins anew. */
export async function applyUpdate(
  lambda: Lambda,
  tx: Transaction,
  current: VersionRow,
  changed: VersionRow,
): Promise<VersionRow> {
  const { deployment, configuration, codeSha256 } = current;
  const updated: VersionRow = {
    ...changed,
    deployment: lambda.ids.uuid(),
    revision: lambda.ids.uuid(),
    lastModified: lambda.clock.now(),
    ...(current.state === "Active" ? UPDATING : CREATING),
    serving:
      current.state === "Active" ? (current.serving ?? { deployment, configuration, codeSha256 }) : null,
  };
  await saveVersion(tx, updated);
  lambda.catalogue.changes(tx, current);
  return updated;
}
