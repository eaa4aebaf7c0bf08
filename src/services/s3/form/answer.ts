/** How S3 answers a form: by the status that it asks for, or by sending the browser on. */
import type { WireResponse } from "../../../aws/index.ts";
import { XML_DECLARATION, escapeXml, xmlElement } from "../../../aws/protocol/xml-write.ts";
import type { Fields } from "./fields.ts";

interface Uploaded {
  readonly fields: Fields;
  readonly bucket: string;
  readonly key: string;
  /** Of the request. */
  readonly host: string;
}

const SEE_OTHER = 303;
const NO_CONTENT = 204;
const CREATED = 201;

/** @param put What a PutObject of the file is answered with. */
export function formAnswer(put: WireResponse, { fields, bucket, key, host }: Uploaded): WireResponse {
  const etag = put.headers["etag"] ?? "";
  const redirect = redirectOf(fields);
  if (redirect !== undefined)
    return {
      status: SEE_OTHER,
      headers: { ...put.headers, location: withResult(redirect, { bucket, key, etag }) },
      body: undefined,
    };
  const named = host.toLowerCase().startsWith(`${bucket}.`) ? "" : `/${bucket}`;
  const location = `http://${host}${named}/${encodeURIComponent(key)}`;
  const headers = { ...put.headers, location };
  const status = statusOf(fields.get("success_action_status")?.value);
  if (status !== CREATED) return { status, headers, body: undefined };
  const content = Object.entries({ Location: location, Bucket: bucket, Key: key, ETag: etag });
  const elements = content.map(([name, value]) => xmlElement(name, escapeXml(value)));
  return {
    status,
    headers: { ...headers, "content-type": "application/xml" },
    body: XML_DECLARATION + xmlElement("PostResponse", elements.join("")),
  };
}

/** 204 for whatever S3 does not know. */
function statusOf(text: string | undefined): number {
  return text === "200" || text === "201" ? Number(text) : NO_CONTENT;
}

/** What is no URL of the web is as if it was not there. `redirect` is the older name. */
function redirectOf(fields: Fields): string | undefined {
  const text = (fields.get("success_action_redirect") ?? fields.get("redirect"))?.value;
  if (text === undefined || !/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  return /^[\x21-\x7e]+$/.test(text) ? text : new URL(text).href;
}

function withResult(url: string, result: { bucket: string; key: string; etag: string }): string {
  return `${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams(result).toString()}`;
}
