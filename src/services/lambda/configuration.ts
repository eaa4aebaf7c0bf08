/** A function's configuration: read from requests, checked, merged; what one version is, apart from its code. */
import { createHash } from "node:crypto";
import type { Input } from "../../aws/service.ts";
import { IMAGE_RUNTIME } from "../../invoke/index.ts";
import type { FunctionVersion } from "../../invoke/index.ts";
import type { Code } from "./code/code-store.ts";
import { codeIdentity } from "./code/image-code.ts";
import type { Client } from "./deps.ts";
import { invalidParameter } from "./errors.ts";
import { checkEnvironment } from "./environment-variables.ts";
import type { FunctionLayer } from "./layers.ts";
import { checkImageUpdate, checkPackage, imageOverrides } from "./image-config.ts";
import type { ImageOverrides } from "./image-config.ts";
import {
  EPHEMERAL_STORAGE_MB_DEFAULT,
  EPHEMERAL_STORAGE_MB_MAX,
  MEMORY_MB_DEFAULT,
  MEMORY_MB_MAX,
  TIMEOUT_SECONDS_DEFAULT,
  TIMEOUT_SECONDS_MAX,
} from "./limits.ts";
import type { ObjectVersion } from "./ports.ts";
import { refuseUnimplemented } from "./refusals.ts";
import type { Signer } from "./signing/judge.ts";
import { checkSnapStart } from "./snap-start.ts";

/** Kept as JSON with every version; a member that is added later needs a default where it is read. */
export interface Configuration {
  readonly runtime: string;
  readonly handler: string;
  readonly role: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  /** Absent when the request had no Environment, which answers without one. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In the order in which they are laid over one another at /opt. Absent when there are none. */
  readonly layers?: readonly FunctionLayer[];
  /** Who signed the code. Absent where that is nobody, or nobody who was known. */
  readonly signer?: Signer;
  /** Where the code stays. Absent for code that is stored here. */
  readonly s3Object?: ReferencedCode;
  /** What is said of a container image in the place of its own; absent for zips. */
  readonly image?: ImageOverrides;
  /** Absent for `/aws/lambda/<name>`. */
  readonly logGroup?: string;
  /** Absent for Text. */
  readonly jsonLogs?: JsonLogs;
  /** Where events go that have failed for good. Absent for nowhere. */
  readonly deadLetterArn?: string;
  /** SnapStart ApplyOn PublishedVersions; absent for None. */
  readonly snapStart?: true;
}

/** Code that is read from a bucket whenever it is to be unpacked, with its sizes. */
export interface ReferencedCode extends ObjectVersion {
  readonly zipBytes: number;
  readonly unzippedBytes: number;
}

/** LogFormat JSON, and what it leaves out. */
export interface JsonLogs {
  readonly application: NonNullable<FunctionVersion["applicationLogLevel"]>;
  readonly system: NonNullable<FunctionVersion["systemLogLevel"]>;
}

type Create = Input<Client, "CreateFunction">;
type Update = Input<Client, "UpdateFunctionConfiguration">;

/**
 * The configuration that CreateFunction asks for, defaults filled in.
 * @param layers What the request's Layers name.
 * @throws in AWS's words for what it may not be.
 */
export function newConfiguration(input: Create, layers?: readonly FunctionLayer[]): Configuration {
  refuseUnimplemented(input);
  checkPackage(input);
  const isImage = input.PackageType === "Image";
  const defaults: Configuration = {
    runtime: isImage ? IMAGE_RUNTIME : (input.Runtime ?? ""),
    handler: input.Handler ?? "",
    ...(isImage ? { image: {} } : {}),
    role: input.Role ?? "",
    description: "",
    timeoutSeconds: TIMEOUT_SECONDS_DEFAULT,
    memoryMb: MEMORY_MB_DEFAULT,
    ephemeralStorageMb: EPHEMERAL_STORAGE_MB_DEFAULT,
  };
  return merge(defaults, input, layers);
}

/** The configuration after an UpdateFunctionConfiguration; members that the request does not name stay. */
export function updatedConfiguration(
  current: Configuration,
  input: Update,
  layers: readonly FunctionLayer[] | undefined = current.layers,
): Configuration {
  refuseUnimplemented(input);
  checkImageUpdate(current, input);
  return merge(current, input, layers);
}

/** The configuration with other code. */
export function withCodeFacts(
  configuration: Configuration,
  code: Code,
  signer: Signer | undefined,
): Configuration {
  const { signer: _, s3Object: __, ...rest } = configuration;
  return { ...rest, ...optional("signer", signer), ...optional("s3Object", referencedCode(code)) };
}

/** Where code stays, with its sizes; undefined for what is stored here. */
export function referencedCode({ s3Object, zipBytes, unzippedBytes }: Code): ReferencedCode | undefined {
  return s3Object && { ...s3Object, zipBytes, unzippedBytes };
}

/** What of a version's code takes room here: nothing of code that stays in a bucket. */
export function storedBytes({ s3Object, zipBytes, unzippedBytes }: Code): {
  readonly codeBytes: number;
  readonly unzippedBytes: number;
} {
  return s3Object ? { codeBytes: 0, unzippedBytes: 0 } : { codeBytes: zipBytes, unzippedBytes };
}

/** Base64 SHA-256 over configuration and code; two versions with the same one are the same function. */
export function fingerprint(configuration: Configuration, codeSha256: string): string {
  const sorted = Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([sorted, codeIdentity(codeSha256)]))
    .digest("base64");
}

function merge(
  base: Configuration,
  input: Create | Update,
  layers: readonly FunctionLayer[] | undefined,
): Configuration {
  const merged: Configuration = {
    runtime: input.Runtime ?? base.runtime,
    handler: input.Handler ?? base.handler,
    role: input.Role ?? base.role,
    description: input.Description ?? base.description,
    timeoutSeconds: input.Timeout ?? base.timeoutSeconds,
    memoryMb: input.MemorySize ?? base.memoryMb,
    ephemeralStorageMb: input.EphemeralStorage?.Size ?? base.ephemeralStorageMb,
    ...optional("environment", input.Environment ? (input.Environment.Variables ?? {}) : base.environment),
    ...optional("layers", layers && layers.length > 0 ? layers : undefined),
    ...optional("signer", base.signer),
    ...optional("s3Object", base.s3Object),
    ...optional("image", base.image && imageOverrides(base.image, input.ImageConfig)),
    ...optional("logGroup", input.LoggingConfig?.LogGroup ?? base.logGroup),
    ...optional("jsonLogs", readJsonLogs(base.jsonLogs, input.LoggingConfig)),
    ...optional("deadLetterArn", (input.DeadLetterConfig?.TargetArn ?? base.deadLetterArn) || undefined),
    ...optional("snapStart", readSnapStart(base.snapStart, input.SnapStart)),
  };
  atMost("Timeout", merged.timeoutSeconds, TIMEOUT_SECONDS_MAX);
  atMost("MemorySize", merged.memoryMb, MEMORY_MB_MAX);
  atMost("EphemeralStorage", merged.ephemeralStorageMb, EPHEMERAL_STORAGE_MB_MAX);
  checkSnapStart(merged);
  if (input.Environment && merged.environment) checkEnvironment(merged.environment);
  return merged;
}

/** @throws InvalidParameterValueException for levels with the Text format. */
function readJsonLogs(current: JsonLogs | undefined, input: Create["LoggingConfig"]): JsonLogs | undefined {
  if (input === undefined) return current;
  const { ApplicationLogLevel, SystemLogLevel, LogFormat = current ? "JSON" : "Text" } = input;
  if (LogFormat === "JSON")
    return {
      application: ApplicationLogLevel ?? current?.application ?? "INFO",
      system: SystemLogLevel ?? current?.system ?? "INFO",
    };
  if (ApplicationLogLevel !== undefined || SystemLogLevel !== undefined)
    throw invalidParameter("ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON.");
  return undefined;
}

function readSnapStart(current: true | undefined, input: Create["SnapStart"]): true | undefined {
  if (input?.ApplyOn === undefined) return current;
  return input.ApplyOn === "PublishedVersions" ? true : undefined;
}

/** The model allows more than a function on ordinary (not Managed Instances) capacity may have. */
function atMost(member: string, value: number, max: number): void {
  if (value <= max) return;
  throw invalidParameter(
    `'${member}' value failed to satisfy constraint: Member must have value less than or equal to ${max}`,
  );
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
