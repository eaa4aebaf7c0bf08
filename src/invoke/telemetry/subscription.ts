/** What an extension asks for when it subscribes to telemetry or, by the older API, to logs. */

/** The older API's schemas and the newer one's. */
export type Schema = "2020-08-15" | "2021-03-18" | "2022-07-01" | "2022-12-13" | "2025-01-29";
export type TelemetryType = "platform" | "function" | "extension";

export type Destination =
  | {
      readonly protocol: "HTTP";
      readonly port: number;
      readonly path: string;
      readonly method: "POST" | "PUT";
    }
  | { readonly protocol: "TCP"; readonly port: number };

export interface Subscription {
  readonly schema: Schema;
  readonly types: readonly TelemetryType[];
  readonly destination: Destination;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export interface SubscriptionRules {
  readonly schemas: readonly Schema[];
  /** Absent where the request must name it. */
  readonly schema?: Schema;
  readonly methods: readonly ("POST" | "PUT")[];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html */
export const TELEMETRY_RULES: SubscriptionRules = {
  schemas: ["2022-07-01", "2022-12-13", "2025-01-29"],
  methods: ["POST"],
};
/** https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html */
export const LOGS_RULES: SubscriptionRules = {
  schemas: ["2020-08-15", "2021-03-18"],
  schema: "2020-08-15",
  methods: ["POST", "PUT"],
};

/** Each with its least, its most, and what holds when it is not given. */
const BUFFERING = {
  maxItems: { min: 1_000, max: 10_000, usual: 10_000 },
  maxBytes: { min: 262_144, max: 1_048_576, usual: 262_144 },
  timeoutMs: { min: 25, max: 30_000, usual: 1_000 },
} as const;
const TYPES: readonly string[] = ["platform", "function", "extension"] satisfies TelemetryType[];
/** Names under which a sandbox knows itself; telemetry goes nowhere else. */
const HOSTS: readonly string[] = ["sandbox.localdomain", "sandbox"];

/** The subscription that a request's body describes, or all that is wrong with it. */
export function readSubscription(
  body: Buffer,
  rules: SubscriptionRules,
): Subscription | { readonly problems: readonly string[] } {
  const document = objectOf(parse(body));
  if (!document) return { problems: ["the body is no JSON object"] };
  const problems: string[] = [];
  const schema = document["schemaVersion"] ?? rules.schema;
  if (!rules.schemas.includes(schema as Schema))
    problems.push(`schemaVersion should be one of ${rules.schemas.join(", ")}`);
  const types = readTypes(document["types"], problems);
  const destination = readDestination(document["destination"], rules, problems);
  const buffering = readBuffering(document["buffering"], problems);
  if (!destination || problems.length > 0) return { problems };
  return { schema: schema as Schema, types, destination, ...buffering };
}

function readTypes(value: unknown, problems: string[]): readonly TelemetryType[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.push("types should not be empty");
    return [];
  }
  const wrong = value.filter((each) => typeof each !== "string" || !TYPES.includes(each));
  if (wrong.length > 0) problems.push(`types should be among ${TYPES.join(", ")}`);
  return [...new Set(value as TelemetryType[])];
}

function readDestination(
  value: unknown,
  rules: SubscriptionRules,
  problems: string[],
): Destination | undefined {
  const destination = objectOf(value);
  switch (destination?.["protocol"]) {
    case "HTTP":
      return readHttp(destination, rules, problems);
    case "TCP": {
      const port = destination["port"];
      if (isPort(port)) return { protocol: "TCP", port };
      problems.push("port should be a number from 1 to 65535");
      return undefined;
    }
    default:
      problems.push("destination.protocol should be HTTP or TCP");
      return undefined;
  }
}

function readHttp(
  destination: Record<string, unknown>,
  rules: SubscriptionRules,
  problems: string[],
): Destination | undefined {
  const { URI: uri, method = "POST" } = destination;
  if (!rules.methods.includes(method as "POST"))
    problems.push(`destination.method should be ${rules.methods.join(" or ")}`);
  const match = typeof uri === "string" ? /^http:\/\/([^/:@?#\s]+)(?::(\d+))?(\/[^\s#]*)?$/.exec(uri) : null;
  if (!match) {
    problems.push("URI should be http://sandbox.localdomain:<port>/<path>");
    return undefined;
  }
  const [, host = "", port, path = "/"] = match;
  if (!HOSTS.includes(host)) problems.push(`URI host should be ${HOSTS[0]}`);
  if (port === undefined) problems.push("URI port is not provided");
  else if (!isPort(Number(port))) problems.push("URI port should be a number from 1 to 65535");
  return { protocol: "HTTP", port: Number(port), path, method: method as "POST" };
}

function readBuffering(value: unknown, problems: string[]) {
  const given = value === undefined || value === null ? {} : objectOf(value);
  if (!given) problems.push("buffering should be an object");
  const read = (name: keyof typeof BUFFERING) => {
    const { min, max, usual } = BUFFERING[name];
    const wanted = given?.[name] ?? usual;
    if (Number.isInteger(wanted) && Number(wanted) >= min && Number(wanted) <= max) return Number(wanted);
    problems.push(`buffering.${name} should be a number from ${min} to ${max}`);
    return usual;
  };
  return { maxItems: read("maxItems"), maxBytes: read("maxBytes"), timeoutMs: read("timeoutMs") };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
