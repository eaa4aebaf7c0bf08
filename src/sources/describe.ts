/** An event source mapping as the API tells it. */
import type { Output } from "../aws/service.ts";
import { mappingArn } from "./mapping.ts";
import type { Mapping } from "./mapping.ts";
import type { SourceKind } from "./source.ts";

export type MappingDescription = Output<typeof import("@aws-sdk/client-lambda"), "GetEventSourceMapping">;

export function describeMapping(mapping: Mapping, kind: Pick<SourceKind, "tellsResult">): MappingDescription {
  const { StartingPositionTimestamp, ...settings } = mapping.settings;
  const { lastResult } = mapping;
  // Of queues AWS tells none; that one is in trouble is worth telling all the same.
  const tells = lastResult !== undefined && (kind.tellsResult || lastResult.startsWith("PROBLEM"));
  return {
    ...settings,
    UUID: mapping.uuid,
    EventSourceMappingArn: mappingArn(mapping),
    FunctionArn: mapping.functionArn,
    State: mapping.state,
    StateTransitionReason: mapping.reason,
    LastModified: new Date(mapping.lastModified),
    ...(StartingPositionTimestamp !== undefined && {
      StartingPositionTimestamp: new Date(StartingPositionTimestamp),
    }),
    ...(tells && { LastProcessingResult: lastResult }),
  };
}
