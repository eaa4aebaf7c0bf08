/** restXml, with the few habits that are S3's alone. */
import { AwsError } from "../errors.ts";
import type { ServiceMetadata } from "../model/format.ts";
import { errorMembers } from "./error-members.ts";
import { MalformedUrl } from "./malformed-input.ts";
import type { BodyCodec, Protocol, WireResponse, WriteError, WriteOutput } from "./protocol.ts";
import { unwrappedOutputs } from "../patches.ts";
import { readRest, writeRest } from "./rest.ts";
import type { RestBodyWriter } from "./rest.ts";
import { parseXml } from "./xml-parse.ts";
import { readXml } from "./xml-read.ts";
import { escapeXml, namespaceAttribute, XML_DECLARATION, xmlContent, xmlElement } from "./xml-write.ts";

const codec: BodyCodec = {
  read: (shape, bytes) => readXml(shape, parseXml(bytes.toString("utf8"))),
  write: (shape, value) => xmlContent(shape, value),
};

/** Document elements carry the service's namespace. */
function bodyWriter(metadata: ServiceMetadata): RestBodyWriter {
  const namespace = namespaceAttribute(metadata.xmlNamespace);
  return {
    codec: {
      ...codec,
      write: (shape, value) => xmlElement("name" in shape ? shape.name : "Value", xmlContent(shape, value)),
    },
    contentType: "application/xml",
    writeBody(shape, values) {
      const unwrapped = unwrappedOutputs[shape.name];
      const inner = unwrapped === undefined ? undefined : shape.members.get(unwrapped);
      // GetBucketLocation's one member is the document element itself.
      if (inner)
        return (
          XML_DECLARATION +
          xmlElement(inner.name, xmlContent(inner.shape, values[inner.name] ?? ""), namespace)
        );
      const name = shape.traits.xmlName ?? shape.name;
      return XML_DECLARATION + xmlElement(name, xmlContent(shape, values), namespace);
    },
    writePayload(member, value) {
      const name = member.traits.xmlName ?? ("name" in member.shape ? member.shape.name : member.name);
      return XML_DECLARATION + xmlElement(name, xmlContent(member.shape, value), namespace);
    },
  };
}

export const restXml: Protocol = {
  readInput: (input) => readRest(input, codec),

  writeOutput({
    metadata,
    operation,
    output,
    requestId,
    errorModel,
    onStreamError,
  }: WriteOutput): WireResponse {
    const defaults = { status: operation.status, headers: requestIds(requestId) };
    return writeRest(operation.output, output, defaults, bodyWriter(metadata), { errorModel, onStreamError });
  },

  writeError({ error, model, status, requestId }: WriteError): WireResponse {
    const headers = requestIds(requestId);
    // 304 and 412-by-HEAD have no body; Node drops it for HEAD itself.
    if (status === 304) return { status, headers, body: undefined };
    headers["content-type"] = "application/xml";
    const members = Object.entries(errorMembers(error, model)).filter(
      ([name]) => name.toLowerCase() !== "message",
    );
    const content = [
      xmlElement("Code", escapeXml(error.code)),
      xmlElement("Message", escapeXml(error.message)),
      ...members
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => {
          const shape = model?.shape.members.get(name);
          return xmlElement(name, shape ? xmlContent(shape.shape, value) : escapeXml(String(value)));
        }),
      xmlElement("RequestId", requestId),
      xmlElement("HostId", headers["x-amz-id-2"] ?? ""),
    ];
    return { status, headers, body: XML_DECLARATION + xmlElement("Error", content.join("")) };
  },

  malformed: (error) =>
    error instanceof MalformedUrl
      ? new AwsError("InvalidURI", "Couldn't parse the specified URI.", {}, 400)
      : new AwsError("MalformedXML", error.message, {}, 400),
  unknownOperation: () =>
    new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", {}, 405),
  internalError: () =>
    new AwsError("InternalError", "We encountered an internal error. Please try again.", {}, 500),
};

/** S3 answers with two ids; the second is opaque. */
function requestIds(requestId: string): Record<string, string> {
  return {
    "x-amz-request-id": requestId,
    "x-amz-id-2": Buffer.from(`lambent/${requestId}`).toString("base64"),
  };
}
