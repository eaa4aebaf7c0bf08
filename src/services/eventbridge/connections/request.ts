/** The request to an API destination, as the courier sends it: endpoint, what the target and the connection add, and the sign-in. */
import { parseJson } from "../../../aws/event-pattern/index.ts";
import type { EventBridge } from "../deps.ts";
import { readDestinationArn } from "../names.ts";
import { getConnection, getDestination } from "../store/connections.ts";
import type { ConnectionRow, DestinationRow } from "../store/connections.ts";
import type { Auth } from "./auth.ts";
import { TokenError, addQuery, basic, headersOf } from "./tokens.ts";

/** What a rule's target adds, its JSON paths resolved. */
export interface TargetHttp {
  readonly pathValues: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export interface PreparedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly perSecondMax: number;
  /** To be called where the endpoint did not take the sign-in: the next attempt signs in anew. Absent where that would change nothing. */
  readonly forget?: () => void;
}

export interface ApiDestinations {
  /** Whether the destination exists, and the role may invoke it. */
  check(arn: string, roleArn: string): Promise<"ok" | "missing" | "denied">;
  /** A text says why there is no request now. */
  prepare(arn: string, target: TargetHttp, body: Buffer): Promise<PreparedRequest | string>;
}

export function createApiDestinations(eventBridge: EventBridge): ApiDestinations {
  const { database, roles } = eventBridge;
  const find = async (arn: string): Promise<DestinationRow | undefined> => {
    const id = readDestinationArn(arn);
    const row = id && (await getDestination(database, id));
    return row?.destination_id === id?.id ? row : undefined;
  };
  return {
    async check(arn, roleArn) {
      if (!(await find(arn))) return "missing";
      return (await roles.allows(roleArn, "events:InvokeApiDestination", arn)) ? "ok" : "denied";
    },
    async prepare(arn, target, body) {
      const destination = await find(arn);
      if (!destination) return "there is no such API destination";
      const connection = await getConnection(database, { ...destination, name: destination.connection });
      if (!connection || connection.state === "DEAUTHORIZED")
        return `its connection ${destination.connection} ${connection ? "is deauthorized" : "does not exist"}`;
      return prepare(eventBridge, destination, connection, target, body);
    },
  };
}

async function prepare(
  { sealer, tokens }: EventBridge,
  destination: DestinationRow,
  connection: ConnectionRow,
  target: TargetHttp,
  body: Buffer,
): Promise<PreparedRequest | string> {
  const auth = sealer.unseal(connection.auth) as Auth;
  const { InvocationHttpParameters: more = {} } = auth;
  const values = [...target.pathValues];
  const url = new URL(destination.endpoint.replaceAll("*", () => encodeURIComponent(values.shift() ?? "")));
  // Where both name one, the connection's counts.
  const taken = new Set((more.QueryStringParameters ?? []).map(({ Key }) => Key));
  for (const [key, value] of Object.entries(target.query))
    if (!taken.has(key)) url.searchParams.append(key, value);
  addQuery(url, more);
  const key = `${connection.connection_id}/${connection.modified_at}`;
  const signIn = await signInOf(auth, () => tokens.get(key, auth));
  if (typeof signIn === "string") return signIn;
  const headers: Record<string, string> = {
    "user-agent": "Amazon/EventBridge/ApiDestinations",
    "content-type": "application/json; charset=utf-8",
    range: "bytes=0-1048575",
  };
  for (const given of [target.headers, headersOf(more), signIn])
    for (const [name, value] of Object.entries(given)) headers[name.toLowerCase()] = value;
  return {
    url: url.href,
    method: destination.method,
    headers,
    body: withParameters(body, more.BodyParameters ?? []),
    perSecondMax: destination.per_second,
    ...(auth.OAuthParameters && { forget: () => tokens.forget(key) }),
  };
}

/** Headers; or why there are none. */
async function signInOf(
  { BasicAuthParameters, ApiKeyAuthParameters }: Auth,
  token: () => Promise<string>,
): Promise<Record<string, string> | string> {
  if (BasicAuthParameters)
    return { authorization: basic(BasicAuthParameters.Username ?? "", BasicAuthParameters.Password ?? "") };
  if (ApiKeyAuthParameters)
    return { [ApiKeyAuthParameters.ApiKeyName ?? ""]: ApiKeyAuthParameters.ApiKeyValue ?? "" };
  try {
    return { authorization: `Bearer ${await token()}` };
  } catch (error) {
    if (error instanceof TokenError) return error.message;
    throw error;
  }
}

/** A JSON object gets them as members. */
function withParameters(
  body: Buffer,
  parameters: readonly { readonly Key?: string; readonly Value?: string }[],
): Buffer {
  const text = body.toString();
  if (parameters.length === 0 || !text.startsWith("{")) return body;
  const members = Object.fromEntries(parameters.map(({ Key = "", Value = "" }) => [Key, Value]));
  return Buffer.from(JSON.stringify({ ...(parseJson(text) as object), ...members }));
}
