/** CORS rules: which are valid, and which of them lets a page's request through. Pure. */
import { invalidRequest, s3Error } from "../errors.ts";
import { CORS_ID_CHARACTERS_MAX, CORS_RULES_MAX } from "../limits.ts";

/** One rule, as stored and as answered. */
export interface CorsRule {
  readonly ID?: string | undefined;
  readonly AllowedHeaders?: readonly string[] | undefined;
  readonly AllowedMethods: readonly string[];
  readonly AllowedOrigins: readonly string[];
  readonly ExposeHeaders?: readonly string[] | undefined;
  readonly MaxAgeSeconds?: number | undefined;
}

const METHODS = ["GET", "PUT", "HEAD", "POST", "DELETE"];

/** @throws MalformedXML, InvalidRequest */
export function readRules(
  given: readonly { readonly [K in keyof CorsRule]?: CorsRule[K] | undefined }[] | undefined,
): CorsRule[] {
  if (!given || given.length === 0) throw s3Error("MalformedXML");
  if (given.length > CORS_RULES_MAX)
    throw invalidRequest(
      `The number of CORS rules should not exceed allowed limit of ${CORS_RULES_MAX} rules.`,
    );
  return given.map((rule) => {
    const { AllowedMethods = [], AllowedOrigins = [], AllowedHeaders = [], ExposeHeaders = [] } = rule;
    if (AllowedMethods.length === 0 || AllowedOrigins.length === 0) throw s3Error("MalformedXML");
    if ((rule.ID?.length ?? 0) > CORS_ID_CHARACTERS_MAX) throw s3Error("MalformedXML");
    for (const method of AllowedMethods)
      if (!METHODS.includes(method))
        throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
    for (const origin of AllowedOrigins) oneWildcard("AllowedOrigin", origin);
    for (const header of AllowedHeaders) oneWildcard("AllowedHeader", header);
    for (const header of ExposeHeaders)
      if (header.includes("*"))
        throw invalidRequest(
          `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
        );
    return { ...rule, AllowedMethods, AllowedOrigins };
  });
}

/** The first rule that takes the origin, the method and each of the headers. */
export function ruleFor(
  rules: readonly CorsRule[],
  asked: { readonly origin: string; readonly method: string; readonly headers: readonly string[] },
): CorsRule | undefined {
  return rules.find(
    ({ AllowedMethods, AllowedOrigins, AllowedHeaders = [] }) =>
      AllowedMethods.includes(asked.method) &&
      AllowedOrigins.some((one) => matches(one, asked.origin)) &&
      asked.headers.every((header) =>
        AllowedHeaders.some((one) => matches(one.toLowerCase(), header.toLowerCase())),
      ),
  );
}

/** What a browser is told of a rule that applies. */
export function ruleHeaders(
  rule: CorsRule,
  origin: string,
  requestedHeaders: readonly string[],
): Record<string, string> {
  const isOpen = rule.AllowedOrigins.includes("*");
  return {
    "access-control-allow-origin": isOpen ? "*" : origin,
    "access-control-allow-methods": rule.AllowedMethods.join(", "),
    ...(requestedHeaders.length > 0 && {
      "access-control-allow-headers": requestedHeaders.map((one) => one.toLowerCase()).join(", "),
    }),
    ...(rule.ExposeHeaders?.length && { "access-control-expose-headers": rule.ExposeHeaders.join(", ") }),
    ...(rule.MaxAgeSeconds !== undefined && { "access-control-max-age": String(rule.MaxAgeSeconds) }),
    ...(!isOpen && { "access-control-allow-credentials": "true" }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

function oneWildcard(kind: string, value: string): void {
  if (value.split("*").length > 2)
    throw invalidRequest(`${kind} "${value}" can not have more than one wildcard.`);
}

/** Whether a value is what a pattern with at most one `*` means. */
function matches(pattern: string, value: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === value;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return value.length >= before.length + after.length && value.startsWith(before) && value.endsWith(after);
}
