/** UpdateFunctionConfiguration */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { configOf } from "../code-signing-configs.ts";
import { fingerprint, updatedConfiguration } from "../configuration.ts";
import { checkDeadLetters } from "../dead-letters.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeVersion } from "../describe.ts";
import { checkSizes, findLayers } from "../layers.ts";
import { findLatest, unqualifiedReference } from "../lookup.ts";
import { checkRole, checkRuntime } from "../requirements.ts";
import { admit } from "../signing/admission.ts";
import { requireSnapshots } from "../snap-start.ts";
import { applyUpdate, requireUpdatable } from "../update.ts";

/** Answers while the update is in progress; until then the old configuration holds. */
export async function updateFunctionConfiguration(
  lambda: Lambda,
  input: Input<Client, "UpdateFunctionConfiguration">,
  context: RequestContext,
): Promise<Output<Client, "UpdateFunctionConfiguration">> {
  const id = unqualifiedReference(input, context);
  const before = await findLatest(lambda.database, id);
  requireUpdatable(before, input.RevisionId);
  const wanted = updatedConfiguration(before.configuration, input);
  if (input.SnapStart !== undefined) requireSnapshots(wanted, lambda.snapStartObstacle);
  if (input.Role !== undefined) await checkRole(lambda.roles, wanted.role, context);
  if (input.Role !== undefined || input.DeadLetterConfig !== undefined)
    await checkDeadLetters(lambda, id, wanted);
  if (input.Runtime !== undefined) await checkRuntime(lambda.runtimes, wanted);
  const row = await lambda.database.tx(async (tx) => {
    const current = await findLatest(tx, id);
    requireUpdatable(current, input.RevisionId);
    const layers =
      input.Layers && (await findLayers({ policies: lambda.policies, reader: tx }, input.Layers, context));
    const configuration = updatedConfiguration(current.configuration, input, layers);
    checkSizes(configuration, configuration.s3Object?.unzippedBytes ?? current.unzippedBytes);
    if (layers) await admit(lambda, id, await configOf(tx, id), layers);
    return applyUpdate(lambda, tx, current, {
      ...current,
      configuration,
      fingerprint: fingerprint(configuration, current.codeSha256),
    });
  });
  lambda.deployments.begin(row);
  return describeVersion(lambda, row);
}
