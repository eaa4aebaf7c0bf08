/** Browsers: what users call may be called by the pages of any host, as on AWS. */
import type { IncomingHttpHeaders } from "node:http";
import type { CrossOrigin } from "../../aws/service.ts";

const EXPOSED = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date";
const PREFLIGHT_SECONDS = "172800";

export function preflightHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": headers["access-control-request-headers"] ?? "*",
    "access-control-max-age": PREFLIGHT_SECONDS,
  };
}

export const crossOrigin: CrossOrigin = {
  preflight: async ({ headers }) => preflightHeaders(headers),
  headers: async () => ({
    "access-control-allow-origin": "*",
    "access-control-expose-headers": EXPOSED,
  }),
};
