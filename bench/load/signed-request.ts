/** The bytes of requests as the AWS SDK for JavaScript sends them, signed with Signature Version 4. */
import { createHash, randomUUID } from "node:crypto";
import { signRequest } from "../../src/aws/auth/sign-request.ts";

export interface InvokeTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** `Event` for an asynchronous invocation. */
  readonly invocationType?: "RequestResponse" | "Event";
}

/** A request of any service. */
export interface Call {
  /** As it is signed: `lambda`. */
  readonly service: string;
  readonly method: string;
  readonly path: string;
  /** Beside those that every request has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Who is sent a call. */
export type CallTarget = Pick<InvokeTarget, "host" | "port" | "credentials">;

const REGION = "us-east-1";
const USER_AGENT =
  "aws-sdk-js/3.1164.0 ua/2.1 os/linux#6.1 lang/js md/nodejs#26.10.0 api/lambda#3.1164.0 m/E";

/** Headers and body of one request, signed now. Peers that verify nothing are sent the same bytes. */
export function signedInvoke(target: InvokeTarget, body: Uint8Array, date = new Date()): Buffer {
  return signedCall(target, invokeCall(target, body), date);
}

function invokeCall({ path, invocationType = "RequestResponse" }: InvokeTarget, body: Uint8Array): Call {
  const headers = { "content-type": "application/octet-stream", "x-amz-invocation-type": invocationType };
  return { service: "lambda", method: "POST", path, headers, body };
}

/** The same of any call. */
export function signedCall(target: CallTarget, call: Call, date = new Date()): Buffer {
  const { method, body, service } = call;
  const url = new URL(`http://${target.host}:${target.port}${call.path}`);
  const headers = signRequest(
    {
      method,
      url,
      headers: {
        ...call.headers,
        "content-length": String(body.length),
        "x-amz-user-agent": USER_AGENT,
        "user-agent": USER_AGENT,
        "amz-sdk-invocation-id": randomUUID(),
        "amz-sdk-request": "attempt=1; max=3",
        "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      },
      body,
    },
    { ...target.credentials, sessionToken: undefined, region: REGION, service, date },
  );
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${url.pathname} HTTP/1.1\r\n${lines.join("")}connection: keep-alive\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}

/** Different requests whose signatures are renewed every second, so that no answer can be one of a cache. */
export class RequestSupply {
  readonly #target: CallTarget;
  readonly #calls: readonly Call[];
  #requests: Buffer[] = [];
  #signedAt = Number.NEGATIVE_INFINITY;
  #next = 0;

  constructor(target: CallTarget, calls: readonly Call[]) {
    this.#target = target;
    this.#calls = calls;
  }

  /** Invocations with one event after the other. */
  static ofInvokes(target: InvokeTarget, events: readonly Uint8Array[]): RequestSupply {
    return new RequestSupply(
      target,
      events.map((event) => invokeCall(target, event)),
    );
  }

  /** The next request; signs all anew when the second has passed. */
  take(): Buffer {
    if (this.#next === 0 && performance.now() - this.#signedAt > RENEW_MS) {
      this.#requests = this.#calls.map((call) => signedCall(this.#target, call));
      this.#signedAt = performance.now();
    }
    const request = this.#requests[this.#next] as Buffer;
    this.#next = (this.#next + 1) % this.#requests.length;
    return request;
  }
}

const RENEW_MS = 1_000;
const VARIANTS = 32;

/** Small JSON events, each different: `{"n":7,"pad":"xxx"}`. @param bytes Their length, at least that of the numbers. */
export function smallEvents(bytes = 0): Buffer[] {
  return Array.from({ length: VARIANTS }, (_, n) => {
    const bare = JSON.stringify({ n, pad: "" });
    return Buffer.from(JSON.stringify({ n, pad: "x".repeat(Math.max(0, bytes - bare.length)) }));
  });
}
