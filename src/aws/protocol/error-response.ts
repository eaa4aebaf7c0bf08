/** Writes an AwsError in the caller's protocol, with the status and fault that its model gives. */
import type { AwsError } from "../errors.ts";
import { errorStatuses } from "../patches.ts";
import type { Target } from "../route/target.ts";
import type { WireResponse } from "./protocol.ts";

const SERVER_FAULT_MIN = 500;

export function errorResponse(
  { model, protocol, protocolName }: Target,
  error: AwsError,
  requestId: string,
): WireResponse {
  const { metadata } = model;
  const found = model.error(error.code);
  const status = errorStatus({ model, protocolName }, error);
  const fault = found?.fault ?? (status >= SERVER_FAULT_MIN ? "server" : "client");
  return protocol.writeError({ metadata, error, model: found, status, fault, requestId });
}

/** The HTTP status that an error is answered with. */
export function errorStatus(
  { model, protocolName }: Pick<Target, "model" | "protocolName">,
  error: AwsError,
): number {
  const found = model.error(error.code);
  const modelled = protocolName === "awsQuery" ? found?.queryStatus : found?.status;
  return error.status ?? errorStatuses[model.metadata.name]?.[error.code] ?? modelled ?? 400;
}
