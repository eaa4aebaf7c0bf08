/** Versions and aliases as the API answers them. */
import type {
  AliasConfiguration,
  FunctionConfiguration,
  LayerVersionsListItem,
  ResolvedS3Object,
} from "@aws-sdk/client-lambda";
import { IMAGE_RUNTIME, runtimeVersionArn } from "../../invoke/index.ts";
import { versionName } from "./catalogue.ts";
import { codeDigest } from "./code/local-folders.ts";
import type { LambdaDeps } from "./deps.ts";
import { describeImage } from "./image-config.ts";
import { layerVersionArn } from "./layer-names.ts";
import { functionArn } from "./names.ts";
import type { FunctionId } from "./names.ts";
import { HOST_ARCHITECTURE } from "./refusals.ts";
import type { ObjectVersion } from "./ports.ts";
import type { Signer } from "./signing/judge.ts";
import type { AliasRow } from "./store-aliases.ts";
import type { LayerVersionRow } from "./store-layers.ts";
import type { VersionRow } from "./version-row.ts";

/**
 * A version's configuration; its ARN ends in `qualifier` where one is given. Where functions are not isolated, the reason
 * of every state says so, since nobody should learn it from an accident.
 */
export async function describeVersion(
  { isolationWarning, runtimes }: Pick<LambdaDeps, "isolationWarning" | "runtimes">,
  row: VersionRow,
  qualifier?: string,
): Promise<FunctionConfiguration> {
  const runtimeVersion = await runtimeVersionOf(runtimes, row);
  return {
    ...describeListed(row, qualifier),
    ...(runtimeVersion !== undefined && { RuntimeVersionConfig: { RuntimeVersionArn: runtimeVersion } }),
    State: row.state,
    ...present("StateReason", row.stateReason ?? isolationWarning ?? null),
    ...(present("StateReasonCode", row.stateCode) as Pick<FunctionConfiguration, "StateReasonCode">),
    ...present("LastUpdateStatus", row.updateStatus),
    ...present("LastUpdateStatusReason", row.updateReason),
    ...(present("LastUpdateStatusReasonCode", row.updateCode) as Pick<
      FunctionConfiguration,
      "LastUpdateStatusReasonCode"
    >),
  };
}

/** The version of its runtime that a function runs on, which is the server's; undefined until that has it. */
async function runtimeVersionOf(
  runtimes: LambdaDeps["runtimes"],
  { configuration: { runtime, handler }, region }: VersionRow,
): Promise<string | undefined> {
  if (runtime === IMAGE_RUNTIME || (await runtimes.find(runtime, handler)).status !== "ready")
    return undefined;
  // What keeps it from being made ready is told by the states of functions.
  const found = await runtimes.install(runtime, handler).catch(() => undefined);
  return found && runtimeVersionArn(found, region);
}

/** The same without states and the runtime's version, as lists have it. */
export function describeListed(row: VersionRow, qualifier?: string): FunctionConfiguration {
  const { configuration } = row;
  const { jsonLogs } = configuration;
  return {
    FunctionName: row.name,
    FunctionArn: functionArn(row, qualifier),
    ...(configuration.image
      ? {}
      : {
          Runtime: configuration.runtime as NonNullable<FunctionConfiguration["Runtime"]>,
          Handler: configuration.handler,
        }),
    Role: configuration.role,
    CodeSize: configuration.s3Object?.zipBytes ?? row.codeBytes,
    Description: configuration.description,
    Timeout: configuration.timeoutSeconds,
    MemorySize: configuration.memoryMb,
    LastModified: dateText(row.lastModified),
    CodeSha256: codeDigest(row.codeSha256),
    Version: versionName(row.number),
    ...(configuration.environment && Object.keys(configuration.environment).length > 0
      ? { Environment: { Variables: { ...configuration.environment } } }
      : {}),
    ...(configuration.deadLetterArn !== undefined && {
      DeadLetterConfig: { TargetArn: configuration.deadLetterArn },
    }),
    TracingConfig: { Mode: "PassThrough" },
    ...(configuration.layers
      ? {
          Layers: configuration.layers.map(({ arn, codeBytes, signature }) => ({
            Arn: arn,
            CodeSize: codeBytes,
            ...describeSigner(signature?.signer),
          })),
        }
      : {}),
    ...describeSigner(configuration.signer),
    RevisionId: row.revision,
    PackageType: configuration.image ? "Image" : "Zip",
    ...describeImage(configuration.image),
    Architectures: [HOST_ARCHITECTURE],
    EphemeralStorage: { Size: configuration.ephemeralStorageMb },
    SnapStart: {
      ApplyOn: configuration.snapStart ? "PublishedVersions" : "None",
      OptimizationStatus: configuration.snapStart && row.number > 0 && row.state === "Active" ? "On" : "Off",
    },
    LoggingConfig: {
      ...(jsonLogs
        ? { LogFormat: "JSON", ApplicationLogLevel: jsonLogs.application, SystemLogLevel: jsonLogs.system }
        : { LogFormat: "Text" }),
      LogGroup: configuration.logGroup ?? `/aws/lambda/${row.name}`,
    },
    ConfigSha256: row.fingerprint,
  };
}

/** A version of an object, in AWS's names. */
export function describeObject({ bucket, key, versionId }: ObjectVersion): ResolvedS3Object {
  return { S3Bucket: bucket, S3Key: key, S3ObjectVersion: versionId };
}

/** Who signed a package, where somebody known did. */
export function describeSigner(
  signer: Signer | undefined,
): Pick<FunctionConfiguration, "SigningProfileVersionArn" | "SigningJobArn"> {
  return signer ? { SigningProfileVersionArn: signer.profileVersionArn, SigningJobArn: signer.jobArn } : {};
}

export function describeAlias(id: FunctionId, alias: AliasRow): AliasConfiguration {
  return {
    AliasArn: functionArn(id, alias.name),
    Name: alias.name,
    FunctionVersion: versionName(alias.number),
    Description: alias.description,
    ...(Object.keys(alias.weights).length > 0
      ? { RoutingConfig: { AdditionalVersionWeights: { ...alias.weights } } }
      : {}),
    RevisionId: alias.revision,
  };
}

/** A layer version as lists have it. */
export function describeLayerVersion(row: LayerVersionRow): LayerVersionsListItem {
  return {
    LayerVersionArn: layerVersionArn(row),
    Version: row.number,
    Description: row.description,
    CreatedDate: dateText(row.createdAt),
    ...present("LicenseInfo", row.licenseInfo),
    ...(present("CompatibleRuntimes", row.runtimes) as Pick<LayerVersionsListItem, "CompatibleRuntimes">),
    ...(present("CompatibleArchitectures", row.architectures) as Pick<
      LayerVersionsListItem,
      "CompatibleArchitectures"
    >),
  };
}

/** As Lambda writes dates: `2026-01-02T03:04:05.000+0000`. */
export function dateText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "+0000");
}

function present<K extends string, V>(key: K, value: V | null): { [P in K]?: V } {
  return (value === null ? {} : { [key]: value }) as { [P in K]?: V };
}
