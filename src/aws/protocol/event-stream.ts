/** Writes an operation's event stream: each event a frame, an error thrown on the way an exception frame. */
import { AwsError } from "../errors.ts";
import type { ErrorModel } from "../model/model.ts";
import { isStructure } from "../model/shape.ts";
import type { Member, StructureShape } from "../model/shape.ts";
import { errorMembers } from "./error-members.ts";
import { encodeFrame } from "./event-frame.ts";
import type { FrameHeader } from "./event-frame.ts";
import type { BodyCodec } from "./protocol.ts";
import { asBuffer } from "./text-value.ts";

export interface EventStreamOutput {
  /** The streaming union. */
  readonly member: Member;
  readonly output: Readonly<Record<string, unknown>>;
  /** The body of the first frame, on protocols that have no other place for the other members. */
  readonly initial: string | Uint8Array | undefined;
  readonly codec: BodyCodec;
  readonly contentType: string;
  readonly errorModel: (code: string) => ErrorModel | undefined;
  readonly onStreamError: (error: unknown) => void;
}

/** The member that is an event stream, if any. */
export function eventStreamMember(shape: StructureShape): Member | undefined {
  for (const member of shape.members.values())
    if (member.traits.streaming && isStructure(member.shape)) return member;
  return undefined;
}

/** Frames, one for each event that the handler's iterable gives. Never throws: errors become frames. */
export async function* writeEventStream(stream: EventStreamOutput): AsyncGenerator<Buffer> {
  const union = stream.member.shape as StructureShape;
  if (stream.initial !== undefined)
    yield encodeFrame(eventHeaders("initial-response", stream.contentType), stream.initial);
  try {
    const events = stream.output[stream.member.name] as AsyncIterable<Record<string, unknown>>;
    for await (const event of events) {
      const [name] = Object.keys(event).filter((key) => event[key] !== undefined);
      const member = name === undefined ? undefined : union.members.get(name);
      if (!member) throw new TypeError(`${union.name} has no event ${name}`);
      yield eventFrame(member, event[member.name], stream);
    }
  } catch (error) {
    if (!(error instanceof AwsError)) stream.onStreamError(error);
    yield exceptionFrame(error, union, stream);
  }
}

function eventHeaders(type: string, contentType: string | undefined): Record<string, FrameHeader> {
  return {
    ":message-type": "event",
    ":event-type": type,
    ...(contentType === undefined ? {} : { ":content-type": contentType }),
  };
}

function eventFrame(member: Member, value: unknown, { codec, contentType }: EventStreamOutput): Buffer {
  const shape = member.shape as StructureShape;
  const fields = (value ?? {}) as Record<string, unknown>;
  const members = [...shape.members.values()];
  const payload = members.find((inner) => inner.traits.eventPayload);
  const extra: Record<string, FrameHeader> = {};
  for (const inner of members)
    if (inner.traits.eventHeader && fields[inner.name] !== undefined)
      extra[inner.name] = fields[inner.name] as FrameHeader;
  if (!payload) {
    const hasBody = members.length > 0;
    const headers = { ...eventHeaders(member.name, hasBody ? contentType : undefined), ...extra };
    return encodeFrame(headers, hasBody ? codec.write(shape, fields) : "");
  }
  const content = fields[payload.name];
  if (isStructure(payload.shape))
    return encodeFrame(
      { ...eventHeaders(member.name, contentType), ...extra },
      codec.write(payload.shape, content ?? {}),
    );
  const type = payload.shape.kind === "blob" ? "application/octet-stream" : "text/plain";
  return encodeFrame({ ...eventHeaders(member.name, type), ...extra }, asBuffer(content ?? ""));
}

/** A modelled error is one of the union's members; anything else is an internal failure of no detail. */
function exceptionFrame(error: unknown, union: StructureShape, stream: EventStreamOutput): Buffer {
  const { codec, contentType, errorModel } = stream;
  const known =
    error instanceof AwsError ? error : new AwsError("InternalFailure", "An internal failure has occurred");
  const model = errorModel(known.code);
  const isMember = model !== undefined && union.members.has(known.code);
  if (isMember) {
    const headers = {
      ":message-type": "exception",
      ":exception-type": known.code,
      ":content-type": contentType,
    };
    return encodeFrame(headers, codec.write(model.shape, errorMembers(known, model)));
  }
  const headers = { ":message-type": "error", ":error-code": known.code, ":error-message": known.message };
  return encodeFrame(headers, "");
}
