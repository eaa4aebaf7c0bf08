/** CORS of function URLs, which Lambda answers itself: a preflight never reaches the function. */
import type { Cors } from "@aws-sdk/client-lambda";

type Headers = Readonly<Record<string, string>>;

/** What is said in addition to the function's own headers, and in the place of those of the same names. */
export function corsHeaders(cors: Cors | null, origin: string | undefined): Headers {
  const allowed = cors && allowedOrigin(cors, origin);
  if (!cors || allowed === undefined || allowed === null) return {};
  return {
    "access-control-allow-origin": allowed,
    ...(cors.AllowCredentials && { "access-control-allow-credentials": "true" }),
    ...list("access-control-expose-headers", cors.ExposeHeaders),
    vary: "Origin",
  };
}

/** The whole answer to a preflight; undefined for a request that is none, or where nothing is configured. */
export function preflight(
  cors: Cors | null,
  method: string,
  origin: string | undefined,
  wantedMethod: string | undefined,
): Headers | undefined {
  if (!cors || method !== "OPTIONS" || origin === undefined || wantedMethod === undefined) return undefined;
  const allowed = corsHeaders(cors, origin);
  if (Object.keys(allowed).length === 0) return {};
  return {
    ...allowed,
    ...list("access-control-allow-methods", cors.AllowMethods),
    ...list("access-control-allow-headers", cors.AllowHeaders),
    ...(cors.MaxAge !== undefined && { "access-control-max-age": String(cors.MaxAge) }),
  };
}

/** With credentials a browser takes no star for an origin. */
function allowedOrigin({ AllowOrigins = [], AllowCredentials }: Cors, origin: string | undefined) {
  if (origin === undefined) return undefined;
  if (AllowOrigins.includes("*")) return AllowCredentials ? origin : "*";
  return AllowOrigins.some((one) => one.toLowerCase() === origin.toLowerCase()) ? origin : undefined;
}

function list(name: string, values: readonly string[] | undefined): Headers {
  return values && values.length > 0 ? { [name]: values.join(",") } : {};
}
