/** awsQuery: form fields in, an XML envelope out. */
import { AwsError } from "../errors.ts";
import { queryMessages } from "../patches.ts";
import { errorMembers, queryCode } from "./error-members.ts";
import { readForm } from "./form-read.ts";
import type { Protocol, WireResponse, WriteError, WriteOutput } from "./protocol.ts";
import { escapeXml, namespaceAttribute, xmlContent, xmlElement } from "./xml-write.ts";

const CONTENT_TYPE = "text/xml";

export const query: Protocol = {
  async readInput({ operation, form }) {
    return operation.input ? (readForm(operation.input, form) as Record<string, unknown>) : {};
  },

  writeOutput({ metadata, operation, output, requestId }: WriteOutput): WireResponse {
    const shape = operation.output;
    const result = shape ? xmlElement(`${operation.name}Result`, xmlContent(shape, output)) : "";
    const tail = xmlElement("ResponseMetadata", xmlElement("RequestId", requestId));
    const namespace = namespaceAttribute(metadata.xmlNamespace);
    const headers = { "content-type": CONTENT_TYPE, "x-amzn-requestid": requestId };
    return { status: 200, headers, body: xmlElement(`${operation.name}Response`, result + tail, namespace) };
  },

  writeError({ metadata, error, model, status, fault, requestId }: WriteError): WireResponse {
    const members = Object.entries(errorMembers(error, model))
      .filter(([name, value]) => name.toLowerCase() !== "message" && value !== undefined && value !== null)
      .map(([name, value]) => {
        const member = model?.shape.members.get(name);
        const content = member ? xmlContent(member.shape, value) : escapeXml(String(value));
        return xmlElement(member?.traits.xmlName ?? name, content);
      });
    const content = [
      xmlElement("Type", fault === "client" ? "Sender" : "Receiver"),
      xmlElement("Code", escapeXml(queryCode(metadata.name, error.code, model))),
      xmlElement("Message", escapeXml(queryMessages[metadata.name]?.[error.message] ?? error.message)),
      ...members,
    ];
    const body = xmlElement(
      "ErrorResponse",
      xmlElement("Error", content.join("")) + xmlElement("RequestId", requestId),
      namespaceAttribute(metadata.xmlNamespace),
    );
    return { status, headers: { "content-type": CONTENT_TYPE, "x-amzn-requestid": requestId }, body };
  },

  malformed: (error) => new AwsError("MalformedInput", error.message, {}, 400),
  unknownOperation: (name) =>
    new AwsError("InvalidAction", `The action ${name} is not valid for this web service.`, {}, 400),
  internalError: () =>
    new AwsError(
      "InternalFailure",
      "The request processing has failed because of an unknown error, exception or failure.",
      {},
      500,
    ),
};
