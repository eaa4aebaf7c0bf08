/** Where the code of CreateFunction and UpdateFunctionCode comes from: the request itself, or an S3 object. */
import type { Readable } from "node:stream";
import type { RequestContext } from "../../../aws/service.ts";
import { invalidParameter } from "../errors.ts";
import { UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX } from "../limits.ts";
import type { CodeObjects, FunctionImages } from "../ports.ts";
import type { Code, CodeStore } from "./code-store.ts";
import { findImage } from "./images.ts";
import { LOCAL_BUCKET, allowedFolder, localCode } from "./local-folders.ts";

export interface CodeMembers {
  readonly ImageUri?: string | undefined;
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
}

export interface CodeSource {
  readonly bytesMax: number;
  open(): Promise<Readable | Uint8Array>;
}

/** What it takes to find code. */
interface Places {
  readonly code: CodeStore;
  readonly images: FunctionImages | undefined;
  readonly objects: CodeObjects;
  /** Folders of this machine that functions may run from. */
  readonly localFolders: readonly string[];
}

/**
 * Runs `use` with the code that a function is given: stored, or a folder of this machine as it is.
 * @throws InvalidParameterValueException for no source or two, and for what cannot be used.
 */
export async function withCode<T>(
  { code, images, objects, localFolders }: Places,
  members: CodeMembers,
  context: RequestContext,
  use: (code: Code) => Promise<T>,
): Promise<T> {
  if (members.ImageUri) return use(await findImage(images, members.ImageUri));
  if (members.S3Bucket === LOCAL_BUCKET && !members.ZipFile)
    return use(localCode(await allowedFolder(members.S3Key ?? "", localFolders)));
  const source = codeSource(members, objects, context);
  return code.with(await source.open(), source.bytesMax, use);
}

/** @throws InvalidParameterValueException for no source or two. */
export function codeSource(code: CodeMembers, objects: CodeObjects, context: RequestContext): CodeSource {
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
      throw invalidParameter(
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
      );
    },
  };
}
