/**
 * The container credential provider of one execution environment: what SnapStart functions ask instead of finding keys among their
 * variables. https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { errorReply, notFound, writeReply, wrongMethod } from "./api-reply.ts";
import type { ApiReply } from "./api-reply.ts";
import type { HttpRequest } from "./http-request.ts";
import type { SandboxApiPart } from "./sandbox-api.ts";
import type { Credentials } from "./types.ts";

/** Where they are, at the address that SDKs take credentials from. */
export const credentialsPath = "/2021-04-23/credentials";

export class CredentialsApi implements SandboxApiPart {
  readonly prefix = "/2021-04-23";
  readonly #authorization: Buffer;
  readonly #credentials: () => Promise<Credentials>;

  /** @param token What the environment finds in AWS_CONTAINER_AUTHORIZATION_TOKEN. */
  constructor(token: string, credentials: () => Promise<Credentials>) {
    this.#authorization = Buffer.from(token);
    this.#credentials = credentials;
  }

  serve(request: HttpRequest, path: string, socket: Socket): ApiReply | undefined {
    if (path !== "/credentials") return notFound();
    if (request.method !== "GET") return wrongMethod();
    const given = Buffer.from(request.headers.get("authorization") ?? "");
    if (given.length !== this.#authorization.length || !timingSafeEqual(given, this.#authorization))
      return errorReply(401, "Unauthorized", "Authorization should be $AWS_CONTAINER_AUTHORIZATION_TOKEN");
    void this.#answer(socket, request.keepAlive);
    return undefined;
  }

  async #answer(socket: Socket, keepAlive: boolean): Promise<void> {
    const reply = await this.#credentials().then(documentOf, (error: Error) =>
      errorReply(403, "AccessDenied", error.message),
    );
    if (!socket.destroyed) writeReply(socket, reply, keepAlive);
  }
}

function documentOf({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: Credentials): ApiReply {
  const document = {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: new Date(expiresAt).toISOString(),
  };
  return { status: 200, body: Buffer.from(JSON.stringify(document)) };
}
