/** Put-, Update-, Get- and DeleteFunctionEventInvokeConfig, ListFunctionEventInvokeConfigs */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter, notFound } from "../errors.ts";
import { destinationOf } from "../events/destinations.ts";
import type { Sender } from "../events/destinations.ts";
import { findVersion, ownReference, requireFunction, unqualifiedReference } from "../lookup.ts";
import { functionArn, readFunctionArn } from "../names.ts";
import type { FunctionId, FunctionReference } from "../names.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import {
  configQualifier,
  deleteEventConfigs,
  readEventConfig,
  readEventConfigs,
  saveEventConfig,
} from "../store-event-configs.ts";
import type { EventConfigRow } from "../store-event-configs.ts";

type Settings = Pick<
  Input<Client, "PutFunctionEventInvokeConfig">,
  "MaximumRetryAttempts" | "MaximumEventAgeInSeconds" | "DestinationConfig"
>;

/** Replaces the whole configuration: what the request does not name is removed. */
export async function putFunctionEventInvokeConfig(
  lambda: Lambda,
  input: Input<Client, "PutFunctionEventInvokeConfig">,
  context: RequestContext,
): Promise<Output<Client, "PutFunctionEventInvokeConfig">> {
  const reference = ownReference(input, context);
  const destinations = await checkSettings(lambda, reference, input);
  return lambda.database.tx(async (tx) => {
    await findVersion(tx, reference);
    return save(lambda, tx, reference, {
      retryAttempts: input.MaximumRetryAttempts ?? null,
      eventAgeSeconds: input.MaximumEventAgeInSeconds ?? null,
      onSuccess: destinations.onSuccess || null,
      onFailure: destinations.onFailure || null,
    });
  });
}

/** Changes what the request names, and leaves the rest; an empty destination clears it. */
export async function updateFunctionEventInvokeConfig(
  lambda: Lambda,
  input: Input<Client, "UpdateFunctionEventInvokeConfig">,
  context: RequestContext,
): Promise<Output<Client, "UpdateFunctionEventInvokeConfig">> {
  const reference = ownReference(input, context);
  const destinations = await checkSettings(lambda, reference, input);
  return lambda.database.tx(async (tx) => {
    await findVersion(tx, reference);
    const current = await readEventConfig(tx, reference, configQualifier(reference.qualifier));
    if (!current) throw noConfig(reference);
    return save(lambda, tx, reference, {
      retryAttempts: input.MaximumRetryAttempts ?? current.retryAttempts,
      eventAgeSeconds: input.MaximumEventAgeInSeconds ?? current.eventAgeSeconds,
      onSuccess: (destinations.onSuccess ?? current.onSuccess) || null,
      onFailure: (destinations.onFailure ?? current.onFailure) || null,
    });
  });
}

export async function getFunctionEventInvokeConfig(
  lambda: Lambda,
  input: Input<Client, "GetFunctionEventInvokeConfig">,
  context: RequestContext,
): Promise<Output<Client, "GetFunctionEventInvokeConfig">> {
  const reference = ownReference(input, context);
  await findVersion(lambda.database, reference);
  const row = await readEventConfig(lambda.database, reference, configQualifier(reference.qualifier));
  if (!row) throw noConfig(reference);
  return describe(reference, row);
}

export async function deleteFunctionEventInvokeConfig(
  lambda: Lambda,
  input: Input<Client, "DeleteFunctionEventInvokeConfig">,
  context: RequestContext,
): Promise<object> {
  const reference = ownReference(input, context);
  await lambda.database.tx(async (tx) => {
    await findVersion(tx, reference);
    const deleted = await deleteEventConfigs(tx, reference, configQualifier(reference.qualifier));
    if (deleted === 0) throw noConfig(reference);
    lambda.catalogue.changes(tx, reference);
  });
  return {};
}

/** Those of the function, its versions and its aliases, in order of qualifier. */
export async function listFunctionEventInvokeConfigs(
  lambda: Lambda,
  input: Input<Client, "ListFunctionEventInvokeConfigs">,
  context: RequestContext,
): Promise<Output<Client, "ListFunctionEventInvokeConfigs">> {
  const id = unqualifiedReference(input, context);
  await requireFunction(lambda.database, id);
  const after = readMarker(input.Marker)?.name ?? "";
  const rows = (await readEventConfigs(lambda.database, id)).filter((row) => row.qualifier > after);
  const { items, ...next } = page(rows, pageSize(input.MaxItems), (row) => ({
    name: row.qualifier,
    number: 0,
  }));
  return { ...next, FunctionEventInvokeConfigs: items.map((row) => describe(id, row)) };
}

interface Destinations {
  readonly onSuccess: string | undefined;
  readonly onFailure: string | undefined;
}

/** The destinations that a request names, once it is known that records can be delivered there. */
async function checkSettings(
  lambda: Lambda,
  reference: FunctionReference,
  { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig }: Settings,
): Promise<Destinations> {
  if (
    MaximumRetryAttempts === undefined &&
    MaximumEventAgeInSeconds === undefined &&
    DestinationConfig === undefined
  )
    throw invalidParameter("You must specify at least one of error handling or destination setting.");
  const onSuccess = DestinationConfig?.OnSuccess?.Destination;
  const onFailure = DestinationConfig?.OnFailure?.Destination;
  const { row } = await findVersion(lambda.database, reference);
  const sender = { ...reference, roleArn: row.configuration.role };
  if (onSuccess) await checkDestination(lambda, sender, onSuccess, "OnSuccess");
  if (onFailure) await checkDestination(lambda, sender, onFailure, "OnFailure");
  return { onSuccess, onFailure };
}

/** @throws InvalidParameterValueException with what is in the way; NotImplemented for a service that is not there. */
async function checkDestination(
  lambda: Lambda,
  sender: Sender,
  arn: string,
  member: "OnSuccess" | "OnFailure",
): Promise<void> {
  const called = readFunctionArn(arn);
  if (called && functionArn(called) === functionArn(sender))
    throw invalidParameter("You can't specify the function as a destination for itself.");
  const destination = destinationOf(lambda, arn);
  if (!destination) throw invalidParameter(`The destination ARN ${arn} is invalid.`);
  if (member === "OnSuccess" && !destination.takesSuccess)
    throw invalidParameter(
      `The destination ARN ${arn} is invalid: records of successful invocations are not delivered to this service.`,
    );
  const fault = await destination.fault(sender, arn);
  if (fault !== undefined) throw invalidParameter(`The destination ARN ${arn} is invalid: ${fault}.`);
}

async function save(
  lambda: Lambda,
  tx: Transaction,
  reference: FunctionReference,
  settings: Omit<EventConfigRow, "qualifier" | "lastModified">,
): Promise<ReturnType<typeof describe>> {
  const qualifier = configQualifier(reference.qualifier);
  const row = { qualifier, lastModified: lambda.clock.now(), ...settings };
  await saveEventConfig(tx, reference, row);
  lambda.catalogue.changes(tx, reference);
  return describe(reference, row);
}

function describe(id: FunctionId, row: EventConfigRow) {
  return {
    LastModified: new Date(row.lastModified),
    FunctionArn: functionArn(id, row.qualifier),
    ...(row.retryAttempts !== null && { MaximumRetryAttempts: row.retryAttempts }),
    ...(row.eventAgeSeconds !== null && { MaximumEventAgeInSeconds: row.eventAgeSeconds }),
    DestinationConfig: {
      OnSuccess: row.onSuccess === null ? {} : { Destination: row.onSuccess },
      OnFailure: row.onFailure === null ? {} : { Destination: row.onFailure },
    },
  };
}

function noConfig(reference: FunctionReference): Error {
  const arn = functionArn(reference, configQualifier(reference.qualifier));
  return notFound(`The function ${arn} doesn't have an EventInvokeConfig`);
}
