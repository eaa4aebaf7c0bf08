/** The StreamSpecification of CreateTable and UpdateTable. */
import type { StreamSpecification } from "@aws-sdk/client-dynamodb";
import { invalidParameters } from "../errors.ts";
import type { ViewType } from "../store-streams.ts";

/** The view type of the stream that is asked for; undefined for none. */
export function readStream(specification: StreamSpecification | undefined): ViewType | undefined {
  if (!specification) return undefined;
  const { StreamEnabled: isEnabled, StreamViewType: viewType } = specification;
  if (!isEnabled && viewType !== undefined)
    throw invalidParameters("StreamViewType cannot be specified when StreamEnabled is false");
  if (!isEnabled) return undefined;
  if (viewType === undefined)
    throw invalidParameters("StreamViewType must be specified when StreamEnabled is true");
  return viewType;
}
