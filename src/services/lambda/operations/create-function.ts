/** CreateFunction */
import type { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { withCode } from "../code/code-source.ts";
import type { Code } from "../code/code-store.ts";
import { configArn, findNamedConfig } from "../code-signing-configs.ts";
import { fingerprint, newConfiguration, storedBytes, withCodeFacts } from "../configuration.ts";
import type { Configuration } from "../configuration.ts";
import { checkDeadLetters } from "../dead-letters.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeVersion } from "../describe.ts";
import { conflict, invalidParameter, unsignable } from "../errors.ts";
import { checkSizes, findLayers } from "../layers.ts";
import { ownReference } from "../lookup.ts";
import { checkNewName, functionArn } from "../names.ts";
import type { FunctionId } from "../names.ts";
import { CREATING, publish } from "../publish.ts";
import { checkRole, checkRuntime, checkStorage } from "../requirements.ts";
import { admit, signerOf } from "../signing/admission.ts";
import { saveConfigOfFunction } from "../store-code-signing.ts";
import { requireSnapshots } from "../snap-start.ts";
import { insertFunction, readTags, saveVersion } from "../store.ts";
import { readUsage } from "../store-lists.ts";
import type { VersionRow } from "../version-row.ts";
import { withTags } from "../tags.ts";

/** Answers while the function is Pending; it becomes Active when its runtime is ready. */
export async function createFunction(
  lambda: Lambda,
  input: Input<Client, "CreateFunction">,
  context: RequestContext,
): Promise<Output<Client, "CreateFunction">> {
  const { qualifier, ...id } = ownReference(input, context);
  if (qualifier !== undefined) throw invalidParameter("Function name must not contain a qualifier.");
  checkNewName(id.name);
  const { policies, database } = lambda;
  const layers = await findLayers({ policies, reader: database }, input.Layers ?? [], context);
  const configuration = newConfiguration(input, layers);
  requireSnapshots(configuration, lambda.snapStartObstacle);
  const tags = withTags({}, input.Tags ?? {});
  await checkRole(lambda.roles, configuration.role, context);
  await checkDeadLetters(lambda, id, configuration);
  await checkRuntime(lambda.runtimes, configuration);
  if (input.CodeSigningConfigArn && configuration.image) throw unsignable();
  const config = input.CodeSigningConfigArn
    ? await findNamedConfig(database, input.CodeSigningConfigArn, context)
    : undefined;
  if (await readTags(lambda.database, id)) throw alreadyExists(id);

  return withCode(lambda, input.Code ?? {}, id, context, async (code) => {
    checkSizes(configuration, code.unzippedBytes);
    await admit(lambda, id, config, [{ arn: functionArn(id), signature: code.signature }, ...(layers ?? [])]);
    const signed = withCodeFacts(configuration, code, await signerOf(lambda, code.signature));
    const rows = await lambda.database.tx(async (tx) => {
      if (!(await insertFunction(tx, id, tags))) throw alreadyExists(id);
      // One may have been deleted since, and its content with it.
      await findLayers({ policies, reader: tx }, input.Layers ?? [], context);
      const usage = await readUsage(tx, id.account, id.region);
      checkStorage(usage.unzipped + storedBytes(code).unzippedBytes, lambda.limits);
      const latest = newLatest(lambda, id, signed, code);
      await saveVersion(tx, latest);
      if (config) {
        await findNamedConfig(tx, configArn(config), context);
        await saveConfigOfFunction(tx, id, config.id);
      }
      lambda.catalogue.changes(tx, id);
      return input.Publish ? [latest, await publish(lambda, tx, latest)] : [latest];
    });
    lambda.deployments.begin(...rows);
    const row = rows.at(-1) as VersionRow;
    return describeVersion(lambda, row, row.number > 0 ? String(row.number) : undefined);
  });
}

function newLatest(lambda: Lambda, id: FunctionId, configuration: Configuration, code: Code): VersionRow {
  return {
    ...id,
    number: 0,
    deployment: lambda.ids.uuid(),
    configuration,
    fingerprint: fingerprint(configuration, code.sha256),
    codeSha256: code.sha256,
    ...storedBytes(code),
    revision: lambda.ids.uuid(),
    lastModified: lambda.clock.now(),
    ...CREATING,
    serving: null,
  };
}

function alreadyExists(id: FunctionId): AwsError {
  return conflict(`Function already exist: ${id.name}`);
}
