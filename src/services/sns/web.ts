/** What subscribers visit: the certificate that messages are signed with, and the links to confirm and to end a subscription. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { AwsError } from "../../aws/errors.ts";
import type { Principal } from "../../aws/service.ts";
import type { Sns } from "./deps.ts";
import { readSubscriptionArn, readTopicArn } from "./names.ts";
import { confirmSubscription } from "./operations/confirm-subscription.ts";
import { unsubscribe } from "./operations/subscriptions.ts";

const CERTIFICATE = /^\/SimpleNotificationService-[0-9a-f]{32}\.pem$/;
/** `/?Action=ConfirmSubscription&TopicArn=…&Token=…` */
const LINK = /^\/\?(?:[^#]*&)?Action=(?:ConfirmSubscription|Unsubscribe)(?:&|$)/;
const NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/";
/** Who visits a link is nobody that is known. */
const NOBODY: Principal = { type: "anonymous", account: "", arn: "", userId: "", accessKeyId: undefined };

/** Whether a request may be such a visit: unsigned, of a certificate or of a link. */
export function isVisit(
  method: string | undefined,
  url = "",
  { authorization }: IncomingHttpHeaders,
): boolean {
  if (method !== "GET" || authorization !== undefined || url.includes("X-Amz-Signature=")) return false;
  return LINK.test(url) || CERTIFICATE.test(url);
}

/** Answers such a request; false where it is another. */
export function createWeb(sns: Sns): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const { method, url = "", headers } = request;
    if (!isVisit(method, url, headers)) return false;
    const fields = new URLSearchParams(url.split("?", 2)[1]);
    const answer = CERTIFICATE.test(url)
      ? certificate(sns, url)
      : fields.get("Action") === "Unsubscribe"
        ? ended(sns, fields)
        : confirmed(sns, fields);
    void write(
      response,
      answer.catch((error: unknown) => failure(sns, error)),
    );
    return true;
  };
}

async function write(response: ServerResponse, answer: Promise<Answer>): Promise<void> {
  const { status, type, body } = await answer;
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function certificate({ signer }: Sns, path: string): Promise<Answer> {
  const body = await signer.certificateAt(path);
  return body === undefined
    ? { status: 404, type: "text/plain", body: "There is no such certificate" }
    : { status: 200, type: "application/x-pem-file", body };
}

async function confirmed(sns: Sns, fields: URLSearchParams): Promise<Answer> {
  const TopicArn = fields.get("TopicArn") ?? "";
  const region = readTopicArn(TopicArn)?.region ?? "";
  const input = { TopicArn, Token: fields.get("Token") ?? "" };
  const { SubscriptionArn = "" } = await confirmSubscription(sns, input, { principal: NOBODY, region });
  const result = `<ConfirmSubscriptionResult><SubscriptionArn>${SubscriptionArn}</SubscriptionArn></ConfirmSubscriptionResult>`;
  return xml(sns, "ConfirmSubscriptionResponse", result);
}

async function ended(sns: Sns, fields: URLSearchParams): Promise<Answer> {
  const SubscriptionArn = fields.get("SubscriptionArn") ?? "";
  const region = readSubscriptionArn(SubscriptionArn)?.topic.region ?? "";
  await unsubscribe(sns, { SubscriptionArn }, { principal: NOBODY, region });
  return xml(sns, "UnsubscribeResponse", "");
}

function failure(sns: Sns, error: unknown): Answer {
  if (!(error instanceof AwsError)) sns.log.error("A link of SNS could not be answered", { error });
  const known =
    error instanceof AwsError ? error : new AwsError("InternalError", "An internal error occurred");
  const code = known.code.replace(/Exception$/, "");
  const status = error instanceof AwsError ? (STATUSES[code] ?? 400) : 500;
  const text = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(known.message)}</Message></Error>`;
  return { ...xml(sns, "ErrorResponse", text), status };
}

const STATUSES: Readonly<Record<string, number>> = { AuthorizationError: 403, NotFound: 404 };

function xml({ ids }: Sns, name: string, content: string): Answer {
  const metadata = `<RequestId>${ids.uuid()}</RequestId>`;
  const more = name === "ErrorResponse" ? metadata : `<ResponseMetadata>${metadata}</ResponseMetadata>`;
  return { status: 200, type: "text/xml", body: `<${name} xmlns="${NAMESPACE}">${content}${more}</${name}>` };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
