/** GetFunction and GetFunctionConfiguration */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { localFolder, localLocation } from "../code/local-folders.ts";
import { codeLocation } from "../code/location.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeVersion } from "../describe.ts";
import { findVersion, ownReference } from "../lookup.ts";
import { readReserved } from "../store-concurrency.ts";
import { readTags } from "../store.ts";

/** Configuration, tags, reserved concurrency, and a URL from which the zip can be read for ten minutes. */
export async function getFunction(
  lambda: Lambda,
  input: Input<Client, "GetFunction">,
  context: RequestContext,
): Promise<Output<Client, "GetFunction">> {
  const reference = ownReference(input, context);
  const { row } = await findVersion(lambda.database, reference);
  const folder = localFolder(row.codeSha256);
  const reserved = await readReserved(lambda.database, reference);
  const tags = (await readTags(lambda.database, reference)) ?? {};
  return {
    Configuration: describeVersion(lambda, row, reference.qualifier),
    Code: {
      RepositoryType: "S3",
      Location:
        folder === undefined
          ? codeLocation(
              { clock: lambda.clock, secret: lambda.locationSecret },
              context.endpoint,
              row.codeSha256,
            )
          : localLocation(folder),
    },
    ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
    ...(Object.keys(tags).length > 0 ? { Tags: tags } : {}),
  };
}

export async function getFunctionConfiguration(
  lambda: Lambda,
  input: Input<Client, "GetFunctionConfiguration">,
  context: RequestContext,
): Promise<Output<Client, "GetFunctionConfiguration">> {
  const reference = ownReference(input, context);
  const { row } = await findVersion(lambda.database, reference);
  return describeVersion(lambda, row, reference.qualifier);
}
