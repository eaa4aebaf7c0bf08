/** Container images as the code of functions: found, told of by the API, and handed to the data path. */
import { notImplemented } from "../../../aws/errors.ts";
import type { AwsError } from "../../../aws/errors.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { ImageError, parseReference, pinnedName } from "../../../sandbox/index.ts";
import type { FunctionVersion } from "../../../invoke/index.ts";
import { accessDenied, invalidParameter } from "../errors.ts";
import { functionArn } from "../names.ts";
import type { FunctionId } from "../names.ts";
import type { FunctionImages, OwnRegistry } from "../ports.ts";
import { HOST_ARCHITECTURE } from "../refusals.ts";
import type { Configuration } from "../configuration.ts";
import type { Code } from "./code-store.ts";
import { imageCode, imageOf } from "./image-code.ts";
import type { ImageCode } from "./image-code.ts";

/** What GetFunction answers as Code. */
export function imageLocation({ uri, digest }: ImageCode) {
  const reference = parseReference(uri);
  return {
    RepositoryType: "ECR",
    ImageUri: uri,
    ...(reference ? { ResolvedImageUri: pinnedName(reference, digest) } : {}),
  };
}

/** What it takes to find an image. */
export interface ImagePlaces {
  /** Undefined where functions are not isolated. */
  readonly images: FunctionImages | undefined;
  readonly ownRegistry: OwnRegistry;
}

/**
 * The image that a request names, as it is now.
 * @throws InvalidParameterValueException, AccessDeniedException in AWS's words; NotImplemented where none can run.
 */
export async function findImage(
  { images, ownRegistry }: ImagePlaces,
  uri: string,
  id: FunctionId,
  context: RequestContext,
): Promise<Code> {
  if (!images)
    throw notImplemented(
      "PackageType Image of a Lambda function on this machine, where functions are plain processes (sandbox process)",
    );
  try {
    const from = (await ownReference(ownRegistry, uri, id, context)) ?? uri;
    const digest = await images.resolve(from, HOST_ARCHITECTURE);
    // As on AWS, where the storage of images is the registry's.
    return { sha256: imageCode({ uri, from, digest }), zipBytes: 0, unzippedBytes: 0 };
  } catch (error) {
    throw error instanceof ImageError ? refusal(error, uri) : error;
  }
}

/**
 * An image of the server's own registry by its one name, once Lambda may read it; undefined for other registries.
 * @throws InvalidParameterValueException, AccessDeniedException in AWS's words.
 */
async function ownReference(
  ownRegistry: OwnRegistry,
  uri: string,
  id: FunctionId,
  context: RequestContext,
): Promise<string | undefined> {
  const reference = parseReference(uri);
  const own = reference && (await ownRegistry.repositoryFor(reference, functionArn(id), context));
  if (!own) return undefined;
  if (own.region !== id.region)
    throw refusal(
      new ImageError(
        "invalid",
        `the repository is in ${own.region}, and functions have images of their own region, ${id.region}`,
      ),
      uri,
    );
  if (own.refusal !== undefined) throw refusal(new ImageError("denied", own.refusal), uri);
  return own.host + uri.slice(reference.registry.length);
}

/** AWS's StateReasonCode for an image that could not be made ready. */
export function imageFailure(error: ImageError): { code: string; reason: string } {
  const codes = {
    missing: "ImageDeleted",
    denied: "ImageAccessDenied",
    unsupported: "InvalidImage",
    invalid: "InvalidImage",
    unreachable: "DependencyError",
  } as const satisfies Record<ImageError["problem"], string>;
  return { code: codes[error.problem], reason: error.message };
}

/** What the data path is told of a version that is an image. */
export function imageToRun(
  images: FunctionImages | undefined,
  codeSha256: string,
  { image = {} }: Configuration,
): FunctionVersion["image"] {
  const code = imageOf(codeSha256);
  if (!code || !images) return undefined;
  return { ...image, defaults: () => images.defaults(code.digest) };
}

/** In AWS's words, as far as it has any; then the registry's. */
function refusal({ problem, message }: ImageError, uri: string): AwsError {
  if (problem === "denied")
    return accessDenied(
      `Lambda does not have permission to access the ECR image. Check the ECR permissions. (${message})`,
    );
  const words = {
    missing: `Source image ${uri} does not exist. Provide a valid source image.`,
    unsupported: `The image manifest, config or layer media type for the source image ${uri} is not supported.`,
    invalid: `Source image ${uri} is not valid. Provide a valid source image.`,
    unreachable: `Source image ${uri} could not be read.`,
  } as const;
  return invalidParameter(`${words[problem]} (${message})`);
}
