/**
 * CreateEventSourceMapping, GetEventSourceMapping, ListEventSourceMappings, UpdateEventSourceMapping, DeleteEventSourceMapping: finds the
 * function; all else is the affair of what reads the sources.
 */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Lambda } from "../deps.ts";
import { mappedFunction } from "../functions-port.ts";
import { findVersion, ownReference } from "../lookup.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import type { MappedFunction } from "../ports.ts";

export async function createEventSourceMapping(
  lambda: Lambda,
  input: Input<Client, "CreateEventSourceMapping">,
  context: RequestContext,
): Promise<Output<Client, "CreateEventSourceMapping">> {
  lambda.eventSourceMappings.check(input);
  return lambda.eventSourceMappings.create(context, input, await targetOf(lambda, input, context));
}

export async function getEventSourceMapping(
  lambda: Lambda,
  input: Input<Client, "GetEventSourceMapping">,
  context: RequestContext,
): Promise<Output<Client, "GetEventSourceMapping">> {
  return lambda.eventSourceMappings.get(context, input.UUID ?? "");
}

/** Those of the name that is asked for: a function's mappings and those of its versions and aliases are told apart. */
export async function listEventSourceMappings(
  lambda: Lambda,
  input: Input<Client, "ListEventSourceMappings">,
  context: RequestContext,
): Promise<Output<Client, "ListEventSourceMappings">> {
  const after = readMarker(input.Marker)?.name ?? "";
  const size = pageSize(input.MaxItems);
  const rows = await lambda.eventSourceMappings.list(context, {
    functionArn:
      input.FunctionName === undefined ? undefined : (await targetOf(lambda, input, context)).functionArn,
    eventSourceArn: input.EventSourceArn,
    after,
    limit: size + 1,
  });
  const { items, ...next } = page(rows, size, ({ UUID = "" }) => ({ name: UUID, number: 0 }));
  return { ...next, EventSourceMappings: [...items] };
}

export async function updateEventSourceMapping(
  lambda: Lambda,
  input: Input<Client, "UpdateEventSourceMapping">,
  context: RequestContext,
): Promise<Output<Client, "UpdateEventSourceMapping">> {
  const { UUID = "", FunctionName, ...changes } = input;
  // A mapping that is not there is told before a function that is not.
  await lambda.eventSourceMappings.get(context, UUID);
  const target = FunctionName === undefined ? undefined : await targetOf(lambda, { FunctionName }, context);
  return lambda.eventSourceMappings.update(context, UUID, changes, target);
}

export async function deleteEventSourceMapping(
  lambda: Lambda,
  input: Input<Client, "DeleteEventSourceMapping">,
  context: RequestContext,
): Promise<Output<Client, "DeleteEventSourceMapping">> {
  return lambda.eventSourceMappings.delete(context, input.UUID ?? "");
}

/** @throws ResourceNotFoundException. */
async function targetOf(
  lambda: Lambda,
  input: { readonly FunctionName?: string | undefined },
  context: RequestContext,
): Promise<MappedFunction> {
  const reference = ownReference(input, context);
  const { row } = await findVersion(lambda.database, reference);
  return mappedFunction(reference, row);
}
