/** awsJson 1.0 and 1.1 (and their CBOR form): the operation is in X-Amz-Target, everything else in the body. */
import { AwsError } from "../errors.ts";
import type { ErrorModel } from "../model/model.ts";
import type { Member, Shape, StructureShape } from "../model/shape.ts";
import { errorMembers, messageName, queryErrorHeader } from "./error-members.ts";
import { eventStreamMember, writeEventStream } from "./event-stream.ts";
import { createJsonCodec } from "./json.ts";
import type { BodyCodec, Protocol, WireResponse, WriteError, WriteOutput } from "./protocol.ts";

const json = createJsonCodec({ jsonName: false });

/** The protocol with the given content type; `codec` is JSON unless said otherwise. */
export function createJsonRpc(contentType: string, codec: BodyCodec = json): Protocol {
  const qualified = contentType.endsWith("json-1.0");

  function writeOutput({ operation, output, requestId, ...rest }: WriteOutput): WireResponse {
    const headers = { "content-type": contentType, "x-amzn-requestid": requestId };
    const shape = operation.output;
    const stream = shape && streamOf(shape);
    if (shape && stream) {
      headers["content-type"] = "application/vnd.amazon.eventstream";
      const initial = codec.write(initialShape(shape, stream), output);
      const body = writeEventStream({ ...rest, member: stream, output, initial, codec, contentType });
      return { status: 200, headers, body };
    }
    return { status: 200, headers, body: shape ? codec.write(shape, output) : codec.write(EMPTY, {}) };
  }

  function writeError({ metadata, error, model, status, fault, requestId }: WriteError): WireResponse {
    const headers: Record<string, string> = { "content-type": contentType, "x-amzn-requestid": requestId };
    if (metadata.queryCompatible)
      headers["x-amzn-query-error"] = queryErrorHeader(metadata.name, error.code, model, fault);
    const namespace = model
      ? metadata.namespace
      : (CORAL_NAMESPACES[error.code] ?? "com.amazon.coral.service");
    const type = qualified ? `${namespace}#${error.code}` : error.code;
    const body = codec.write(errorShape(model), { __type: type, ...errorMembers(error, model) });
    return { status, headers, body };
  }

  return {
    async readInput({ operation, request }) {
      const bytes = await request.body.bytes();
      if (!operation.input || bytes.length === 0) return {};
      return codec.read(operation.input, bytes) as Record<string, unknown>;
    },
    writeOutput,
    writeError,
    malformed: (error) => new AwsError("SerializationException", error.message, {}, 400),
    unknownOperation: () => new AwsError("UnknownOperationException", "", {}, 400),
    internalError: () =>
      new AwsError(
        "InternalFailure",
        "The request processing has failed because of an unknown error.",
        {},
        500,
      ),
  };
}

/** Where AWS's own framework defines an unmodelled error, if not in `coral.service`. */
const CORAL_NAMESPACES: Readonly<Record<string, string>> = {
  ValidationException: "com.amazon.coral.validate",
};

const STRING: Shape = { kind: "string", constraint: undefined };
const EMPTY = structureOf("Empty", []);
const UNMODELLED = structureOf("Unmodelled", [textMember("__type"), textMember("message")]);

function textMember(name: string): Member {
  return { name, shape: STRING, traits: {} };
}

function structureOf(name: string, members: readonly Member[]): StructureShape {
  const byName = new Map(members.map((member) => [member.name, member]));
  return { kind: "structure", name, traits: {}, members: byName, required: [], constraint: undefined };
}

const streams = new WeakMap<StructureShape, Member | false>();

/** The member that is an event stream, if any; looked for once. */
function streamOf(shape: StructureShape): Member | undefined {
  let stream = streams.get(shape);
  if (stream === undefined) {
    stream = eventStreamMember(shape) ?? false;
    streams.set(shape, stream);
  }
  return stream === false ? undefined : stream;
}

const initialShapes = new WeakMap<StructureShape, StructureShape>();

/** An event stream's first frame carries the members that are not the stream. */
function initialShape(shape: StructureShape, stream: Member): StructureShape {
  let result = initialShapes.get(shape);
  if (!result) {
    result = structureOf(
      shape.name,
      [...shape.members.values()].filter((member) => member.name !== stream.name),
    );
    initialShapes.set(shape, result);
  }
  return result;
}

const errorShapes = new WeakMap<StructureShape, StructureShape>();

/** The error's own members, and the two that every error has. */
function errorShape(model: ErrorModel | undefined): StructureShape {
  if (!model) return UNMODELLED;
  let result = errorShapes.get(model.shape);
  if (!result) {
    const own = [...model.shape.members.values()];
    result = structureOf(model.name, [textMember("__type"), textMember(messageName(model)), ...own]);
    errorShapes.set(model.shape, result);
  }
  return result;
}
