/** A registry in the test's own process: it serves what it was given, as whom it is told, and fails as it is told. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buildIndex } from "./image.ts";
import type { BuiltImage, Content } from "./image.ts";

export interface TestRegistry {
  /** `localhost:port` */
  readonly host: string;
  /** Every request: method and path. */
  readonly requests: string[];
  /** Answers the reference of a tag that leads to it now. */
  put(repository: string, tag: string, image: BuiltImage): string;
  putIndex(repository: string, tag: string, images: Readonly<Record<string, BuiltImage>>): string;
  /** What is served under a digest or tag in the place of what was put there; undefined for nothing. */
  replace(name: string, bytes: Buffer | undefined): void;
  /** Called before each answer; what it answers `true` to has been answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
  close(): Promise<void>;
}

export interface RegistryOptions {
  /** How who asks is known; anybody may ask when absent. */
  readonly login?: {
    readonly kind: "basic" | "bearer";
    readonly username: string;
    readonly password: string;
  };
}

export async function startRegistry({ login }: RegistryOptions = {}): Promise<TestRegistry> {
  const contents = new Map<string, Content | undefined>();
  const requests: string[] = [];
  let host = "";
  const registry: TestRegistry = {
    get host() {
      return host;
    },
    requests,
    put(repository, tag, image) {
      for (const blob of image.blobs) contents.set(`${repository}/${blob.digest}`, blob);
      return name(repository, tag, image.manifest);
    },
    putIndex(repository, tag, images) {
      for (const [each, image] of Object.entries(images)) registry.put(repository, `for-${each}`, image);
      return name(repository, tag, buildIndex(images));
    },
    replace(key, bytes) {
      const before = contents.get(key);
      contents.set(key, bytes && before ? { ...before, bytes } : undefined);
    },
    intercept: () => false,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  function name(repository: string, tag: string, manifest: Content): string {
    contents.set(`${repository}/${manifest.digest}`, manifest);
    contents.set(`${repository}/${tag}`, manifest);
    return `${host}/${repository}:${tag}`;
  }
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(`${request.method} ${request.url}`);
    if (await registry.intercept(request, response)) return;
    const { authorization = "" } = request.headers;
    const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
    if (request.url?.startsWith("/token")) {
      if (authorization === basic) response.end(JSON.stringify({ token: "a-token" }));
      else response.writeHead(401).end();
      return;
    }
    if (login && authorization !== (login.kind === "basic" ? basic : "Bearer a-token")) {
      const challenge =
        login.kind === "basic" ? `Basic realm="test"` : `Bearer realm="http://${host}/token",service="test"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
      return;
    }
    const [, repository, key] = /^\/v2\/(.+)\/(?:manifests|blobs)\/([^/]+)$/.exec(request.url ?? "") ?? [];
    const found = contents.get(`${repository}/${key}`);
    if (!found) {
      response
        .writeHead(404)
        .end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }));
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-type": found.mediaType,
      "content-length": found.bytes.length - from,
    });
    response.end(found.bytes.subarray(from));
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `localhost:${(server.address() as AddressInfo).port}`;
  return registry;
}
