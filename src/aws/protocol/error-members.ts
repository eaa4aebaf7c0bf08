/** The members of an error as its shape wants them. */
import type { AwsError } from "../errors.ts";
import type { ErrorModel } from "../model/model.ts";
import { queryCodes } from "../patches.ts";

/** Message (under the shape's own spelling) and the further members. */
export function errorMembers(error: AwsError, model: ErrorModel | undefined): Record<string, unknown> {
  return { ...error.members, [messageName(model)]: error.message };
}

/** Some shapes spell it `Message`; a shape without one still gets a message. */
export function messageName(model: ErrorModel | undefined): "message" | "Message" {
  return model?.shape.members.has("Message") ? "Message" : "message";
}

/** `Code;Sender`: what clients of a former query service look for. */
export function queryErrorHeader(
  service: string,
  code: string,
  model: ErrorModel | undefined,
  fault: "client" | "server",
): string {
  return `${queryCode(service, code, model)};${fault === "client" ? "Sender" : "Receiver"}`;
}

/** An error's code in the query protocol. */
export function queryCode(service: string, code: string, model: ErrorModel | undefined): string {
  return model?.queryCode ?? queryCodes[service]?.[code] ?? code;
}
