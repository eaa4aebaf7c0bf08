/** GetFunction and GetFunctionConfiguration */
import type { FunctionCodeLocation } from "@aws-sdk/client-lambda";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { imageOf } from "../code/image-code.ts";
import { imageLocation } from "../code/images.ts";
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
  const reserved = await readReserved(lambda.database, reference);
  const tags = (await readTags(lambda.database, reference)) ?? {};
  return {
    Configuration: describeVersion(lambda, row, reference.qualifier),
    Code: locationOf(lambda, row.codeSha256, context),
    ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
    ...(Object.keys(tags).length > 0 ? { Tags: tags } : {}),
  };
}

function locationOf(
  { clock, locationSecret: secret }: Lambda,
  codeSha256: string,
  { endpoint }: RequestContext,
): FunctionCodeLocation {
  const image = imageOf(codeSha256);
  if (image) return imageLocation(image);
  const folder = localFolder(codeSha256);
  return {
    RepositoryType: "S3",
    Location:
      folder === undefined ? codeLocation({ clock, secret }, endpoint, codeSha256) : localLocation(folder),
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
