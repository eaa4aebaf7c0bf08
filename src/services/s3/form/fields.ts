/** A form's fields: by their names, whose case counts for nothing, and as the headers that a PutObject would have. */
import type { IncomingHttpHeaders } from "node:http";
import { MalformedInput } from "../../../aws/protocol/malformed-input.ts";
import { parseXml } from "../../../aws/protocol/xml-parse.ts";
import { invalidRequest, s3Error } from "../errors.ts";
import { rfc2047 } from "./rfc-2047.ts";
import type { Form } from "./multipart.ts";

export interface Field {
  /** As it was sent. */
  readonly name: string;
  readonly value: string;
}

/** By name in lower case. Values of one name are joined by commas, which is how a policy names them. */
export type Fields = ReadonlyMap<string, Field>;

/** The fields with the file's name put in. It is its last part that counts; without any, nothing is replaced. */
export function readFields({ fields, filename }: Pick<Form, "fields" | "filename">): Fields {
  const name = filename === undefined ? undefined : /[^/\\]*$/.exec(filename)?.[0];
  const read = new Map<string, Field>();
  for (const [given, value] of fields) {
    const key = given.toLowerCase();
    const filled = name === undefined ? value : value.replaceAll("${filename}", () => name);
    const earlier = read.get(key);
    read.set(
      key,
      earlier ? { ...earlier, value: `${earlier.value},${filled}` } : { name: given, value: filled },
    );
  }
  return read;
}

const PLAIN_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "content-type",
  "expires",
];
const AMZ = "x-amz-";
const METADATA = "x-amz-meta-";
/** Those that say who signed the form, and headers of requests that mean nothing in a form. */
const NO_HEADERS: ReadonlySet<string> = new Set([
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-signature",
  "x-amz-security-token",
  "x-amz-content-sha256",
  "x-amz-decoded-content-length",
  "x-amz-trailer",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-checksum-algorithm",
  "x-amz-acl",
]);
const CHECKSUM = "x-amz-checksum-";

/** @throws MalformedXML for tags that are no XML; InvalidRequest for a checksum that is promised and missing */
export function headersOf(fields: Fields): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const [name, { value }] of fields) {
    if (NO_HEADERS.has(name)) continue;
    if (name.startsWith(METADATA)) headers[name] = rfc2047(value);
    else if (name.startsWith(AMZ) || PLAIN_HEADERS.includes(name)) headers[name] = value;
  }
  const acl = fields.get("acl")?.value;
  if (acl !== undefined) headers["x-amz-acl"] = acl;
  const tags = fields.get("tagging")?.value;
  if (tags !== undefined) headers["x-amz-tagging"] = tagHeader(tags);
  requireChecksum(fields);
  return headers;
}

/** The tags of a document `<Tagging><TagSet><Tag>...`, as a header has them. */
function tagHeader(text: string): string {
  const root = parsed(text);
  const sets = root.name === "Tagging" ? root.children.filter(({ name }) => name === "TagSet") : [];
  const tags = new URLSearchParams();
  for (const { name, children } of sets.flatMap((set) => set.children)) {
    if (name !== "Tag") continue;
    const value = (of: string) => children.find((child) => child.name === of)?.text ?? "";
    tags.append(value("Key"), value("Value"));
  }
  return tags.toString();
}

function parsed(text: string): ReturnType<typeof parseXml> {
  try {
    return parseXml(text);
  } catch (error) {
    if (error instanceof MalformedInput) throw s3Error("MalformedXML");
    throw error;
  }
}

function requireChecksum(fields: Fields): void {
  const named = fields.get("x-amz-checksum-algorithm")?.value;
  if (named === undefined || fields.has(CHECKSUM + named.toLowerCase())) return;
  throw invalidRequest(
    "x-amz-checksum-algorithm specified, but no corresponding x-amz-checksum-* field was found.",
  );
}
