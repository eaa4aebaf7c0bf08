/** Signed requests to a running server, as the command line makes them. */
import { signRequest } from "../aws/index.ts";
import { clientEnvironment } from "../config/index.ts";
import { CommandError } from "./terminal.ts";

export interface CommandRequest {
  /** Signing name: `lambda`, `logs`. */
  readonly service: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

/**
 * Sends one request to AWS_ENDPOINT_URL.
 * @throws CommandError when no server answers, or when it answers with an AWS error.
 */
export async function send(request: CommandRequest): Promise<Response> {
  const environment = clientEnvironment();
  const url = new URL(request.path, environment.endpoint);
  const body = request.body ?? new Uint8Array();
  const headers = signRequest(
    { method: request.method, url, headers: { host: url.host, ...request.headers }, body },
    { ...environment, service: request.service, date: new Date() },
  );
  const response = await fetch(url, {
    method: request.method,
    headers,
    signal: request.signal ?? null,
    ...(request.method === "POST" ? { body: Buffer.from(body) } : {}),
  }).catch((error: Error) => {
    if (error.name === "AbortError") throw error;
    throw new CommandError(
      `no server answers at ${environment.endpoint}. Start one with "lambent start", or set AWS_ENDPOINT_URL.`,
      { cause: error },
    );
  });
  if (response.ok) return response;
  throw new CommandError(await describeError(response));
}

async function describeError(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as Record<string, string | undefined>;
    const code = response.headers.get("x-amzn-errortype") ?? body["__type"]?.split("#").pop();
    return `${code ?? response.status}: ${body["message"] ?? body["Message"] ?? text}`;
  } catch {
    return `${response.status}: ${text}`;
  }
}
