/** Stands in for the network: a request as an SDK client gives it, through our routing and codec, to a response for the client. */
import { Readable } from "node:stream";
import { HttpResponse } from "@smithy/core/protocols";
import { createCatalogue } from "../../../src/aws/catalogue.ts";
import { AwsError } from "../../../src/aws/errors.ts";
import { readSignature } from "../../../src/aws/auth/credential.ts";
import { incomingRequest } from "../../../src/aws/http/wire-request.ts";
import type { AnyIncoming } from "../../../src/aws/http/wire-request.ts";
import { undoTransferCodings } from "../../../src/aws/http/transfer-codings.ts";
import { errorResponse } from "../../../src/aws/protocol/error-response.ts";
import type { WireResponse } from "../../../src/aws/protocol/protocol.ts";
import { createServiceIndex } from "../../../src/aws/route/resolve-service.ts";
import { resolveOperation, resolveTarget } from "../../../src/aws/route/target.ts";

export interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** What our side understood. */
export interface Understood {
  readonly service: string;
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

const REQUEST_ID = "11111111-2222-4333-8444-555555555555";

export const catalogue = createCatalogue();
const services = createServiceIndex(catalogue.metadata);

/**
 * Reads the request and answers with what `answer` gives for it: an output, or an AwsError to be written.
 * Validation is left out: random values break constraints.
 */
export async function exchange(
  sent: SdkRequest,
  answer: (understood: Understood) => Record<string, unknown> | AwsError,
): Promise<HttpResponse> {
  const request = incomingRequest(await incoming(sent));
  const target = await resolveTarget(
    request,
    readSignature(request)?.scope?.signingName,
    services,
    catalogue,
  );
  const { model, protocol } = target;
  const { operation, labels } = resolveOperation(target, request, catalogue);
  undoTransferCodings(request, {}, model.metadata.protocols[0] === "restXml");
  const input = await protocol.readInput({ operation, request, labels, form: target.found.form ?? [] });
  for (const [name, value] of Object.entries(input))
    if (value instanceof Readable) input[name] = Buffer.concat((await collect(value)) as Buffer[]);
  const output = answer({ service: model.metadata.name, operation: operation.name, input });
  if (output instanceof AwsError) return response(errorResponse(target, output, REQUEST_ID));
  return response(
    protocol.writeOutput({
      metadata: model.metadata,
      operation,
      output,
      requestId: REQUEST_ID,
      errorModel: (code) => model.error(code),
      onStreamError(error) {
        throw error;
      },
    }),
  );
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

async function incoming({ method, path, query, headers, body }: SdkRequest): Promise<AnyIncoming> {
  const pairs = Object.entries(query ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? (values as string[]) : [values as string | null]).map((value) =>
      value === null ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    ),
  );
  const url = pairs.length > 0 ? `${path}?${pairs.join("&")}` : path;
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return Object.assign(Readable.from([await bytesOf(body)]), {
    method,
    url,
    headers: lower,
  }) as unknown as AnyIncoming;
}

async function bytesOf(body: SdkRequest["body"]): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return Buffer.concat(await collect(body));
}

function response({ status, headers, body }: WireResponse): HttpResponse {
  const content = body === undefined ? [] : typeof body === "string" ? [Buffer.from(body)] : body;
  const stream = content instanceof Uint8Array ? Readable.from([content]) : Readable.from(content);
  return new HttpResponse({ statusCode: status, headers, body: stream });
}
