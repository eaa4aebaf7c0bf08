/** UpdateFunctionCode */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { withCode } from "../code/code-source.ts";
import type { Code } from "../code/code-store.ts";
import { configOf } from "../code-signing-configs.ts";
import { fingerprint, storedBytes, withCodeFacts } from "../configuration.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeVersion } from "../describe.ts";
import { checkCodeUpdate } from "../image-config.ts";
import { checkSizes } from "../layers.ts";
import { findLatest, unqualifiedReference } from "../lookup.ts";
import { functionArn } from "../names.ts";
import { publish } from "../publish.ts";
import { checkStorage } from "../requirements.ts";
import { refuseUnimplemented } from "../refusals.ts";
import { admit, signerOf } from "../signing/admission.ts";
import type { Signer } from "../signing/judge.ts";
import { readUsage } from "../store-lists.ts";
import type { VersionRow } from "../version-row.ts";
import { applyUpdate, requireUpdatable } from "../update.ts";

/** Answers while the update is in progress; until then the old code runs. */
export async function updateFunctionCode(
  lambda: Lambda,
  input: Input<Client, "UpdateFunctionCode">,
  context: RequestContext,
): Promise<Output<Client, "UpdateFunctionCode">> {
  const id = unqualifiedReference(input, context);
  refuseUnimplemented(input);
  const before = await findLatest(lambda.database, id);
  requireUpdatable(before, input.RevisionId);
  checkCodeUpdate(before.configuration, input);
  return withCode(lambda, input, id, context, async (code) => {
    const artifact = { arn: functionArn(id), signature: code.signature };
    await admit(lambda, id, await configOf(lambda.database, id), [artifact]);
    const signer = await signerOf(lambda, code.signature);
    if (input.DryRun) {
      const current = await findLatest(lambda.database, id);
      checkSizes(current.configuration, code.unzippedBytes);
      return describeVersion(lambda, changed(current, code, signer));
    }
    const rows = await lambda.database.tx(async (tx) => {
      const current = await findLatest(tx, id);
      requireUpdatable(current, input.RevisionId);
      checkSizes(current.configuration, code.unzippedBytes);
      const usage = await readUsage(tx, id.account, id.region);
      checkStorage(usage.unzipped - current.unzippedBytes + storedBytes(code).unzippedBytes, lambda.limits);
      const updated = await applyUpdate(lambda, tx, current, changed(current, code, signer));
      return input.Publish ? [updated, await publish(lambda, tx, updated)] : [updated];
    });
    lambda.deployments.begin(...rows);
    const row = rows.at(-1) as VersionRow;
    return describeVersion(lambda, row, row.number > 0 ? String(row.number) : undefined);
  });
}

function changed(row: VersionRow, code: Code, signer: Signer | undefined): VersionRow {
  const configuration = withCodeFacts(row.configuration, code, signer);
  return {
    ...row,
    configuration,
    codeSha256: code.sha256,
    ...storedBytes(code),
    fingerprint: fingerprint(configuration, code.sha256),
  };
}
