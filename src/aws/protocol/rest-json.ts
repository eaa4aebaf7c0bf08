/** restJson1: Lambda, API Gateway, Scheduler, X-Ray. */
import { AwsError } from "../errors.ts";
import { errorMembers } from "./error-members.ts";
import { createJsonCodec } from "./json.ts";
import type { Protocol, WireResponse, WriteError, WriteOutput } from "./protocol.ts";
import { readRest, writeRest } from "./rest.ts";
import type { RestBodyWriter } from "./rest.ts";

const NO_CONTENT = 204;

const codec = createJsonCodec({ jsonName: true });
const bodyWriter: RestBodyWriter = {
  codec,
  contentType: "application/json",
  writeBody: (shape, values) => codec.write(shape, values),
  writePayload: (member, value) => codec.write(member.shape, value),
};

export const restJson: Protocol = {
  readInput: (input) => readRest(input, codec),

  writeOutput({ operation, output, requestId, errorModel, onStreamError }: WriteOutput): WireResponse {
    const defaults = { status: operation.status, headers: { "x-amzn-requestid": requestId } };
    const stream = { errorModel, onStreamError };
    const response = writeRest(operation.output, output, defaults, bodyWriter, stream);
    if (response.body !== undefined || response.status === NO_CONTENT || !operation.output) return response;
    response.headers["content-type"] ??= bodyWriter.contentType;
    return { ...response, body: "{}" };
  },

  writeError({ error, model, status, requestId }: WriteError): WireResponse {
    const headers = { "x-amzn-requestid": requestId, "x-amzn-errortype": error.code };
    const members = errorMembers(error, model);
    if (!model) {
      const body = JSON.stringify(members);
      return { status, headers: { ...headers, "content-type": bodyWriter.contentType }, body };
    }
    const response = writeRest(model.shape, members, { status, headers }, bodyWriter);
    response.headers["content-type"] = bodyWriter.contentType;
    return { ...response, body: response.body ?? "{}" };
  },

  malformed: (error) => new AwsError("SerializationException", error.message, {}, 400),
  unknownOperation: () => new AwsError("UnknownOperationException", "", {}, 404),
  internalError: () =>
    new AwsError("ServiceException", "The service encountered an internal error.", {}, 500),
};
