/**
 * GetEventSourceMapping, ListEventSourceMappings, UpdateEventSourceMapping, DeleteEventSourceMapping, CreateEventSourceMapping. Nothing
 * polls event sources yet, so none is made, and there is none to read, change or delete.
 */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Lambda } from "../deps.ts";
import { notFound } from "../errors.ts";
import { checkMapping } from "../event-sources.ts";
import { findVersion, ownReference } from "../lookup.ts";
import { readMarker } from "../paging.ts";

/** @throws NotImplemented for every mapping that AWS would make; what AWS would refuse is refused as there. */
export async function createEventSourceMapping(
  lambda: Lambda,
  input: Input<Client, "CreateEventSourceMapping">,
  context: RequestContext,
): Promise<never> {
  const source = checkMapping(input);
  await findVersion(lambda.database, ownReference(input, context));
  throw notImplemented(`CreateEventSourceMapping of Lambda yet: nothing polls ${source}`);
}

export async function listEventSourceMappings(
  lambda: Lambda,
  input: Input<Client, "ListEventSourceMappings">,
  context: RequestContext,
): Promise<Output<Client, "ListEventSourceMappings">> {
  readMarker(input.Marker);
  if (input.FunctionName !== undefined) await findVersion(lambda.database, ownReference(input, context));
  return { EventSourceMappings: [] };
}

/** GetEventSourceMapping, UpdateEventSourceMapping and DeleteEventSourceMapping. @throws ResourceNotFoundException. */
export async function noEventSourceMapping(): Promise<never> {
  throw notFound("The resource you requested does not exist.");
}
