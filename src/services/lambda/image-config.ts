/** What of a request is for container images, and what is for zips only; refused in AWS's words where the other is meant. */
import type { FunctionConfiguration } from "@aws-sdk/client-lambda";
import type { Input } from "../../aws/service.ts";
import type { Configuration } from "./configuration.ts";
import type { Client } from "./deps.ts";
import { invalidParameter } from "./errors.ts";

/** ImageConfig, of which what says nothing is absent. */
export interface ImageOverrides {
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
}

type Create = Input<Client, "CreateFunction">;
type Update = Input<Client, "UpdateFunctionConfiguration">;
type UpdateCode = Input<Client, "UpdateFunctionCode">;

/** Of entry point, command and working directory together. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const SETTINGS_BYTES_MAX = 16_384;

/** @throws InvalidParameterValueException where a creation mixes what zips and what images have, or lacks what its kind needs. */
export function checkPackage({
  PackageType,
  Runtime,
  Handler,
  Layers = [],
  ImageConfig,
  Code = {},
}: Create): void {
  if (PackageType === "Image") {
    if (Runtime !== undefined || Handler !== undefined || Layers.length > 0)
      throw invalidParameter(
        "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
      );
    if (!Code.ImageUri || Code.ZipFile || Code.S3Bucket || Code.S3Key || Code.S3ObjectVersion)
      throw invalidParameter(
        "Please provide ImageUri, and nothing else, as the code of a function with packageType Image.",
      );
    return;
  }
  if (!Runtime || !Handler)
    throw invalidParameter(
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    );
  if (Code.ImageUri)
    throw invalidParameter("Please don't provide ImageUri when creating a function with packageType Zip.");
  if (saysAny(ImageConfig)) throw onlyImages();
}

/** @throws InvalidParameterValueException. */
export function checkCodeUpdate({ image }: Configuration, input: UpdateCode): void {
  if (image && (input.ZipFile || input.S3Bucket || input.S3Key || !input.ImageUri))
    throw invalidParameter("Please provide ImageUri when updating a function with packageType Image.");
  if (!image && input.ImageUri)
    throw invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.");
}

/** @throws InvalidParameterValueException. */
export function checkImageUpdate(
  { image }: Configuration,
  { Runtime, Handler, Layers, ImageConfig }: Update,
): void {
  if (image && Layers && Layers.length > 0)
    throw invalidParameter("Lambda layers are not supported for functions created with container images.");
  if (image && (Runtime !== undefined || Handler !== undefined))
    throw invalidParameter(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    );
  if (!image && saysAny(ImageConfig)) throw onlyImages();
}

/**
 * The overrides after a request, which says all of them or none.
 * @throws InvalidParameterValueException for more than AWS takes.
 */
export function imageOverrides(current: ImageOverrides, input: Create["ImageConfig"]): ImageOverrides {
  if (input === undefined) return current;
  const { EntryPoint = [], Command = [], WorkingDirectory = "" } = input;
  const overrides = {
    ...(EntryPoint.length > 0 ? { entryPoint: EntryPoint } : {}),
    ...(Command.length > 0 ? { command: Command } : {}),
    ...(WorkingDirectory === "" ? {} : { workingDirectory: WorkingDirectory }),
  };
  if (Buffer.byteLength(JSON.stringify(overrides)) > SETTINGS_BYTES_MAX)
    throw invalidParameter(`ImageConfig must be smaller than ${SETTINGS_BYTES_MAX} bytes.`);
  return overrides;
}

/** The overrides as the API answers them; nothing where there are none. */
export function describeImage(
  image: ImageOverrides | undefined,
): Pick<FunctionConfiguration, "ImageConfigResponse"> {
  if (!image || Object.keys(image).length === 0) return {};
  const { entryPoint, command, workingDirectory } = image;
  return {
    ImageConfigResponse: {
      ImageConfig: {
        ...(entryPoint ? { EntryPoint: [...entryPoint] } : {}),
        ...(command ? { Command: [...command] } : {}),
        ...(workingDirectory === undefined ? {} : { WorkingDirectory: workingDirectory }),
      },
    },
  };
}

function saysAny(input: Create["ImageConfig"]): boolean {
  return Object.keys(imageOverrides({}, input)).length > 0;
}

function onlyImages() {
  return invalidParameter("ImageConfig is only supported for functions with packageType Image.");
}
