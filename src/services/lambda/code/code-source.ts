/** Where the code of CreateFunction and UpdateFunctionCode comes from: the request itself, or an S3 object. */
import type { Readable } from "node:stream";
import type { AwsError } from "../../../aws/errors.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { invalidParameter } from "../errors.ts";
import { UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX } from "../limits.ts";
import type { FunctionId } from "../names.ts";
import type { CodeObjects, ObjectVersion } from "../ports.ts";
import type { Code, CodeStore } from "./code-store.ts";
import { findImage } from "./images.ts";
import type { ImagePlaces } from "./images.ts";
import { LOCAL_BUCKET, allowedFolder, localCode } from "./local-folders.ts";

export interface CodeMembers {
  readonly ImageUri?: string | undefined;
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly S3ObjectStorageMode?: string | undefined;
}

interface CodeSource {
  readonly bytesMax: number;
  open(): Promise<Readable | Uint8Array>;
}

/** What it takes to find code. */
interface Places extends ImagePlaces {
  readonly code: CodeStore;
  readonly objects: CodeObjects;
  /** Folders of this machine that functions may run from. */
  readonly localFolders: readonly string[];
}

/**
 * Runs `use` with the code that a function is given: stored, or a folder of this machine as it is.
 * @throws InvalidParameterValueException for no source or two, and for what cannot be used.
 */
export async function withCode<T>(
  { code, objects, localFolders, ...places }: Places,
  members: CodeMembers,
  id: FunctionId,
  context: RequestContext,
  use: (code: Code) => Promise<T>,
): Promise<T> {
  if (members.ImageUri) return use(await findImage(places, members.ImageUri, id, context));
  if (members.S3Bucket === LOCAL_BUCKET && !members.ZipFile)
    return use(localCode(await allowedFolder(members.S3Key ?? "", localFolders)));
  return withStoredCode({ code, objects }, members, context, use);
}

/** The same without folders of this machine, for layers. */
export async function withStoredCode<T>(
  { code, objects }: Pick<Places, "code" | "objects">,
  members: CodeMembers,
  context: RequestContext,
  use: (code: Code) => Promise<T>,
): Promise<T> {
  if (members.S3ObjectStorageMode === "REFERENCE")
    return code.withReferenced(await referenced(members, objects, context), use);
  const source = codeSource(members, objects, context);
  return code.with(await source.open(), source.bytesMax, use);
}

/**
 * The version of an object that is to stay the function's code.
 * @throws InvalidParameterValueException where there is none, or the bucket keeps no versions.
 */
async function referenced(
  { ZipFile, S3Bucket, S3Key, S3ObjectVersion }: CodeMembers,
  objects: CodeObjects,
  { account, region }: RequestContext,
): Promise<ObjectVersion> {
  if (ZipFile || !S3Bucket || !S3Key)
    throw invalidParameter("S3ObjectStorageMode REFERENCE goes with S3Bucket and S3Key.");
  const versionId = await objects.versionOf(account, region, S3Bucket, S3Key, S3ObjectVersion);
  if (versionId === undefined) throw noSuchKey();
  if (versionId === "null")
    throw invalidParameter(
      `S3ObjectStorageMode REFERENCE requires versioning: enable it for the bucket ${S3Bucket} and upload ${S3Key} again.`,
    );
  return { account, region, bucket: S3Bucket, key: S3Key, versionId };
}

/** @throws InvalidParameterValueException for no source or two. */
function codeSource(code: CodeMembers, objects: CodeObjects, context: RequestContext): CodeSource {
  const { ZipFile, S3Bucket, S3Key, S3ObjectVersion } = code;
  if (ZipFile) {
    if (S3Bucket || S3Key || S3ObjectVersion)
      throw invalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.");
    return { bytesMax: ZIP_BYTES_MAX, open: () => Promise.resolve(ZipFile) };
  }
  if (!S3Bucket || !S3Key) throw invalidParameter("Please provide a source for function code.");
  return {
    bytesMax: UNZIPPED_BYTES_MAX,
    async open() {
      const object = await objects.read(context.account, context.region, S3Bucket, S3Key, S3ObjectVersion);
      if (object) return object;
      throw noSuchKey();
    },
  };
}

function noSuchKey(): AwsError {
  return invalidParameter(
    "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
  );
}
