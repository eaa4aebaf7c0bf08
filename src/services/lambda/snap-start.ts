/**
 * Which functions may have SnapStart: those that AWS gives it to, where this machine can save and restore them.
 * https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
 */
import { notImplemented } from "../../aws/errors.ts";
import type { Configuration } from "./configuration.ts";
import { invalidParameter } from "./errors.ts";
import { EPHEMERAL_STORAGE_MB_DEFAULT } from "./limits.ts";

/** Java and Python versions of which AWS has it, by the first; it has all of .NET that there is here. */
const SINCE = { java: 11, python: 12 } as const;
/** Our bootstrap runs on Java from here on. Before it, AWS's client speaks HTTP, and holds a connection that gVisor cannot save. */
const JAVA_HERE = 17;

/** @throws InvalidParameterValueException for what AWS does not offer; NotImplemented (501) for what it does and Lambent does not. */
export function checkSnapStart({
  snapStart,
  runtime,
  handler,
  image,
  ephemeralStorageMb,
}: Configuration): void {
  if (!snapStart) return;
  if (image) throw invalidParameter("SnapStart is not supported for functions of PackageType Image.");
  const java = Number(/^java(\d+)/.exec(runtime)?.[1] ?? 0);
  const python = Number(/^python3\.(\d+)$/.exec(runtime)?.[1] ?? 0);
  if (java < SINCE.java && python < SINCE.python && !runtime.startsWith("dotnet"))
    throw invalidParameter(`${runtime} is not supported for SnapStart enabled functions.`);
  if (runtime.startsWith("dotnet") && !handler.includes("::"))
    throw notImplemented(`SnapStart of .NET executables (class libraries have it)`);
  if (java >= SINCE.java && java < JAVA_HERE)
    throw notImplemented(`SnapStart of the runtime ${runtime} (java17 and later have it)`);
  if (ephemeralStorageMb > EPHEMERAL_STORAGE_MB_DEFAULT)
    throw invalidParameter(
      `SnapStart does not support EphemeralStorage of more than ${EPHEMERAL_STORAGE_MB_DEFAULT} MB; this function has ${ephemeralStorageMb} MB.`,
    );
}

/** @param obstacle Why nothing can be saved on this machine. @throws NotImplemented (501) for a function with SnapStart. */
export function requireSnapshots({ snapStart }: Configuration, obstacle: string | undefined): void {
  if (snapStart && obstacle !== undefined)
    throw notImplemented(`SnapStart ApplyOn PublishedVersions of a Lambda function (${obstacle})`);
}
