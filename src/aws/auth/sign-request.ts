/** Signs a request of ours with Signature Version 4: what the command line sends to a server. */
import { createHash } from "node:crypto";
import { checkSignature, scopeText } from "./sigv4.ts";
import type { SignedHead } from "./sigv4.ts";
import { createSigningKeys } from "./signing-key.ts";

export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names; every one is signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string;
  /** Signing name: `lambda`. */
  readonly service: string;
  readonly date: Date;
}

/** Answers the headers to send, those given and the authorization. */
export function signRequest(outgoing: OutgoingRequest, signer: Signer): Record<string, string> {
  const amzDate = signer.date.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const headers: Record<string, string> = {
    ...outgoing.headers,
    host: outgoing.url.host,
    "x-amz-date": amzDate,
  };
  if (signer.sessionToken !== undefined) headers["x-amz-security-token"] = signer.sessionToken;
  const { accessKeyId, region, service: signingName } = signer;
  const scope = { accessKeyId, date: amzDate.slice(0, 8), region, signingName };
  const signedHeaders = Object.keys(headers).sort();
  const request: SignedHead = {
    method: outgoing.method,
    path: outgoing.url.pathname,
    rawQuery: outgoing.url.search.slice(1),
    headers,
    host: outgoing.url.host,
  };
  const key = createSigningKeys().get(signer.secretAccessKey, scope);
  const { stringToSign } = checkSignature(
    {
      request,
      scope,
      signedHeaders,
      signature: "",
      amzDate,
      payloadHash: createHash("sha256").update(outgoing.body).digest("hex"),
      isPresigned: false,
    },
    key,
  );
  const signature = key.sign(stringToSign);
  headers["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`;
  return headers;
}
