/** What restJson1 and restXml share: reading and writing members by their HTTP bindings. */
import type { Readable } from "node:stream";
import type { Member, StructureShape } from "../model/shape.ts";
import { isStructure } from "../model/shape.ts";
import { readHeader, readQueryValues, writeHeader } from "./header-value.ts";
import { headerText } from "../http/wire-request.ts";
import { eventStreamMember, writeEventStream } from "./event-stream.ts";
import type { BodyCodec, ReadInput, WireResponse, WriteOutput } from "./protocol.ts";
import { inputBindings, outputBindings } from "./rest-bindings.ts";
import type { RestBindings } from "./rest-bindings.ts";
import { readText } from "./text-value.ts";

type Values = Record<string, unknown>;

/**
 * Reads an operation's input.
 * @throws MalformedInput
 */
export async function readRest({ operation, request, labels }: ReadInput, codec: BodyCodec): Promise<Values> {
  if (!operation.input) return {};
  const bindings = inputBindings(operation.input);
  const input: Values = {};
  if (bindings.payload) await readPayload(bindings.payload, request.body, codec, input);
  else if (bindings.body) {
    const bytes = await request.body.bytes();
    if (bytes.length > 0) Object.assign(input, codec.read(bindings.body, bytes));
  }
  for (const { member, wire } of bindings.labels) {
    const text = labels[wire];
    if (text !== undefined) input[member.name] = readText(member.shape, text);
  }
  readQuery(bindings, request.query, operation.uri, input);
  readHeaders(bindings, request.headers, input);
  return input;
}

async function readPayload(
  member: Member,
  body: { stream(): Readable; bytes(): Promise<Buffer> },
  codec: BodyCodec,
  input: Values,
): Promise<void> {
  if (member.traits.streaming && !isStructure(member.shape)) {
    input[member.name] = body.stream();
    return;
  }
  const bytes = await body.bytes();
  if (bytes.length === 0) return;
  if (member.shape.kind === "blob") input[member.name] = bytes;
  else if (member.shape.kind === "string") input[member.name] = bytes.toString("utf8");
  else input[member.name] = codec.read(member.shape, bytes);
}

function readQuery(
  bindings: RestBindings,
  query: ReadonlyMap<string, readonly string[]>,
  uri: string,
  input: Values,
): void {
  for (const { member, wire } of bindings.query) {
    const values = query.get(wire);
    if (values) input[member.name] = readQueryValues(member.shape, values);
  }
  const rest = bindings.queryParams;
  if (rest?.shape.kind !== "map") return;
  // The operation's own query constants (`?mode=import`) are not the caller's parameters.
  const taken = new Set(bindings.query.map(({ wire }) => wire));
  for (const pair of (uri.split("?")[1] ?? "").split("&")) taken.add(pair.split("=", 1)[0] ?? "");
  const { shape } = rest.shape.value;
  const entries = [...query]
    .filter(([name]) => !taken.has(name))
    .map(([name, values]) => [name, readQueryValues(shape, values)] as const);
  if (entries.length > 0) input[rest.name] = Object.fromEntries(entries);
}

function readHeaders(bindings: RestBindings, headers: NodeJS.Dict<string | string[]>, input: Values): void {
  for (const { member, wire } of bindings.headers) {
    const text = headerText(headers, wire);
    if (text !== undefined) input[member.name] = readHeader(member.shape, text);
  }
  for (const { member, wire } of bindings.prefixHeaders) {
    const entries = Object.entries(headers)
      .filter(([name]) => name.startsWith(wire))
      .map(([name, value]) => [name.slice(wire.length), String(value)] as const);
    if (entries.length > 0) input[member.name] = Object.fromEntries(entries);
  }
}

export interface RestBodyWriter {
  readonly codec: BodyCodec;
  readonly contentType: string;
  /** The document for the members in the body. */
  writeBody(shape: StructureShape, values: Readonly<Values>): string;
  /** The document for a structure that is the whole payload. */
  writePayload(member: Member, value: unknown): string;
}

/** Writes an operation's output, or an error's members. */
export function writeRest(
  shape: StructureShape | undefined,
  values: Readonly<Values>,
  defaults: { readonly status: number; readonly headers: Record<string, string> },
  body: RestBodyWriter,
  stream?: Pick<WriteOutput, "errorModel" | "onStreamError">,
): WireResponse {
  const headers = defaults.headers;
  if (!shape) return { status: defaults.status, headers, body: undefined };
  const bindings = outputBindings(shape);
  writeHeaders(bindings, values, headers);
  const status = bindings.status && values[bindings.status.name];
  const result = { status: typeof status === "number" ? status : defaults.status, headers };
  const member = stream && eventStreamMember(shape);
  // An operation that was only to check something has no events to tell.
  const events = member && values[member.name] !== undefined ? member : undefined;
  if (member && !events) return { ...result, body: undefined };
  if (events && stream) {
    // The content type that a member is bound to is the stream's content's; the response's own is fixed.
    headers["content-type"] = "application/vnd.amazon.eventstream";
    const { codec, contentType } = body;
    const content = { ...stream, member: events, output: values, initial: undefined, codec, contentType };
    return { ...result, body: writeEventStream(content) };
  }
  if (bindings.payload) return { ...result, body: writePayload(bindings.payload, values, headers, body) };
  if (!bindings.body) return { ...result, body: undefined };
  headers["content-type"] ??= body.contentType;
  return { ...result, body: body.writeBody(bindings.body, values) };
}

function writeHeaders(
  bindings: RestBindings,
  values: Readonly<Values>,
  headers: Record<string, string>,
): void {
  for (const { member, wire } of bindings.headers) {
    const value = values[member.name];
    if (value !== undefined && value !== null) headers[wire] = headerSafe(writeHeader(member.shape, value));
  }
  for (const { member, wire } of bindings.prefixHeaders)
    for (const [name, value] of Object.entries((values[member.name] ?? {}) as Record<string, string>))
      headers[wire + name.toLowerCase()] = headerSafe(value);
}

function writePayload(
  member: Member,
  values: Readonly<Values>,
  headers: Record<string, string>,
  body: RestBodyWriter,
): WireResponse["body"] {
  const value = values[member.name];
  const { kind } = member.shape;
  if (kind === "blob" || kind === "string") {
    headers["content-type"] ??= kind === "string" ? "text/plain" : "application/octet-stream";
    return value as WireResponse["body"];
  }
  if (value === undefined || value === null) return undefined;
  headers["content-type"] ??= body.contentType;
  return body.writePayload(member, value);
}

/** All but the tab. */
const CONTROL_CHARACTERS = /[^\P{Cc}\t]+/gu;
const BEYOND_LATIN1 = /[\u0100-\uffff]/;

/** Node refuses header text beyond Latin-1; AWS sends such text as UTF-8 bytes. */
function headerSafe(text: string): string {
  const clean = text.replace(CONTROL_CHARACTERS, " ");
  return BEYOND_LATIN1.test(clean) ? Buffer.from(clean, "utf8").toString("latin1") : clean;
}
