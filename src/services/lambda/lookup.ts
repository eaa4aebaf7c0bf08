/** What operations begin with: the function, version or alias that a request names, or AWS's error. */
import type { RequestContext } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import { versionName } from "./catalogue.ts";
import { conflict, invalidParameter, notAuthorized, notFound } from "./errors.ts";
import { LATEST, functionArn, functionNotFound, isVersion, readFunctionName } from "./names.ts";
import type { FunctionId, FunctionReference } from "./names.ts";
import { readAlias } from "./store-aliases.ts";
import type { AliasRow } from "./store-aliases.ts";
import { readTags, readVersion } from "./store.ts";
import type { VersionRow } from "./version-row.ts";

interface Names {
  readonly FunctionName?: string | undefined;
  readonly Qualifier?: string | undefined;
}

/** The function a request of its own account names. @throws AccessDeniedException for another account's. */
export function ownReference(input: Names, context: RequestContext): FunctionReference {
  const reference = readFunctionName(input.FunctionName ?? "", input.Qualifier, context);
  if (reference.account !== context.account) throw denied(reference, context);
  return reference;
}

/** The same for operations on the whole function. @throws InvalidParameterValueException for a version or alias. */
export function unqualifiedReference(input: Names, context: RequestContext): FunctionReference {
  const reference = ownReference(input, context);
  if (reference.qualifier !== undefined && reference.qualifier !== LATEST)
    throw invalidParameter(
      `${context.operation} works on a whole function; leave the qualifier '${reference.qualifier}' out of FunctionName.`,
    );
  return reference;
}

export function denied(id: FunctionId, context: RequestContext): Error {
  const operation = context.operation === "Invoke" ? "InvokeFunction" : context.operation;
  return notAuthorized(functionArn(id), context, operation);
}

export interface Found {
  readonly row: VersionRow;
  /** Present when the qualifier is an alias. */
  readonly alias: AliasRow | undefined;
}

/** The version behind a qualifier (an alias's main one). @throws ResourceNotFoundException. */
export async function findVersion(reader: Reader, reference: FunctionReference): Promise<Found> {
  const { qualifier } = reference;
  if (qualifier === undefined || isVersion(qualifier)) {
    const number = qualifier === undefined || qualifier === LATEST ? 0 : Number(qualifier);
    const named = qualifier === undefined || versionName(number) === qualifier;
    const row = named ? await readVersion(reader, reference, number) : undefined;
    if (!row) throw functionNotFound(reference, qualifier);
    return { row, alias: undefined };
  }
  const alias = await readAlias(reader, reference, qualifier);
  const row = alias && (await readVersion(reader, reference, alias.number));
  if (!row) throw functionNotFound(reference, qualifier);
  return { row, alias };
}

/** $LATEST, which every function has. */
export async function findLatest(reader: Reader, id: FunctionId): Promise<VersionRow> {
  const row = await readVersion(reader, id, 0);
  if (!row) throw functionNotFound(id);
  return row;
}

/** @throws ResourceNotFoundException. */
export async function requireFunction(reader: Reader, id: FunctionId): Promise<void> {
  if ((await readTags(reader, id)) === undefined) throw functionNotFound(id);
}

/** @throws ResourceNotFoundException, naming the function when that is missing too. */
export async function findAlias(reader: Reader, id: FunctionId, name: string): Promise<AliasRow> {
  await requireFunction(reader, id);
  const alias = await readAlias(reader, id, name);
  if (!alias) throw notFound(`Cannot find alias arn: ${functionArn(id, name)}`);
  return alias;
}

/** While a function is being created or updated, nothing else may change it. @throws ResourceConflictException. */
export function requireSettled(row: VersionRow): void {
  if (row.state === "Pending")
    throw conflict(
      "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    );
  if (row.updateStatus === "InProgress")
    throw conflict(
      `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(row)}`,
    );
}
