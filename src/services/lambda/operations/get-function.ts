/** GetFunction and GetFunctionConfiguration */
import type { FunctionCodeLocation } from "@aws-sdk/client-lambda";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { imageOf } from "../code/image-code.ts";
import { imageLocation } from "../code/images.ts";
import { localFolder, localLocation } from "../code/local-folders.ts";
import { codeLocation } from "../code/location.ts";
import { codeGone } from "../errors.ts";
import type { VersionRow } from "../version-row.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeObject, describeVersion } from "../describe.ts";
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
    Configuration: await describeVersion(lambda, row, reference.qualifier),
    Code: await locationOf(lambda, row, context),
    ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
    ...(Object.keys(tags).length > 0 ? { Tags: tags } : {}),
  };
}

/** Where a version's code can be read; of code that stays in a bucket, also which object it is, or why it cannot be read. */
async function locationOf(
  { clock, locationSecret, objects }: Lambda,
  { codeSha256, configuration }: VersionRow,
  { endpoint }: RequestContext,
): Promise<FunctionCodeLocation> {
  const image = imageOf(codeSha256);
  if (image) return imageLocation(image);
  const RepositoryType = "S3";
  const folder = localFolder(codeSha256);
  if (folder !== undefined) return { RepositoryType, Location: localLocation(folder) };
  const { s3Object } = configuration;
  const Location = codeLocation({ clock, secret: locationSecret }, endpoint, codeSha256, s3Object);
  if (!s3Object) return { RepositoryType, Location };
  const { account, region, bucket, key, versionId } = s3Object;
  const resolved = { RepositoryType, ResolvedS3Object: describeObject(s3Object) };
  if ((await objects.versionOf(account, region, bucket, key, versionId)) !== undefined)
    return { ...resolved, Location };
  return { ...resolved, Error: { ErrorCode: "NoSuchVersion", Message: codeGone(s3Object).message } };
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
