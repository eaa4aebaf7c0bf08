/** PublishVersion */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { codeDigest } from "../code/local-folders.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeVersion } from "../describe.ts";
import { invalidParameter, staleRevision } from "../errors.ts";
import { findLatest, requireSettled, unqualifiedReference } from "../lookup.ts";
import { publish } from "../publish.ts";
import { refuseUnimplemented } from "../refusals.ts";

/** A new version of $LATEST; the newest one again when nothing changed since. */
export async function publishVersion(
  lambda: Lambda,
  input: Input<Client, "PublishVersion">,
  context: RequestContext,
): Promise<Output<Client, "PublishVersion">> {
  refuseUnimplemented({ PublishTo: input.PublishTo });
  const id = unqualifiedReference(input, context);
  const row = await lambda.database.tx(async (tx) => {
    const latest = await findLatest(tx, id);
    requireSettled(latest);
    const sha256 = codeDigest(latest.codeSha256);
    if (input.CodeSha256 && input.CodeSha256 !== sha256)
      throw invalidParameter(
        `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${sha256}). ` +
          `Please try again with the CodeSHA256 in $LATEST.`,
      );
    if (input.RevisionId && input.RevisionId !== latest.revision) throw staleRevision();
    return publish(lambda, tx, latest, input.Description);
  });
  if (row.state === "Pending") lambda.deployments.begin(row);
  return describeVersion(lambda, row, String(row.number));
}
