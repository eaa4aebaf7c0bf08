/** What the ECR tests share: a server with a client, images made here, and requests to the registry. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  CreateRepositoryCommand,
  ECRClient,
  ECRServiceException,
  GetAuthorizationTokenCommand,
} from "@aws-sdk/client-ecr";
import type { StartInput } from "../../src/index.ts";
import { startServer } from "./server.ts";
import type { TestServer } from "./server.ts";

export const OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json";
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";

export interface EcrServer extends TestServer {
  readonly ecr: ECRClient;
  /** Creates a repository with a new name and answers the name. */
  repository(): Promise<string>;
}

export async function startEcr(config: StartInput = {}): Promise<EcrServer> {
  const server = await startServer({ sandbox: "process", ...config });
  const ecr = new ECRClient(server.client());
  let count = 0;
  return {
    ...server,
    ecr,
    async repository() {
      const repositoryName = `team/app-${count++}`;
      await ecr.send(new CreateRepositoryCommand({ repositoryName }));
      return repositoryName;
    },
    async stop() {
      ecr.destroy();
      await server.stop();
    },
  };
}

/** Asserts that a call fails with this error, and where given its text. */
export async function refused(
  call: Promise<unknown>,
  name: string,
  message?: RegExp,
  status = 400,
): Promise<ECRServiceException> {
  const error = await call.then(
    () => assert.fail(`${name} was expected`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ECRServiceException, String(error));
  assert.equal(error.name, name, error.message);
  assert.equal(error.$metadata.httpStatusCode, status);
  if (message) assert.match(error.message, message);
  return error;
}

export interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
}

export interface TestImage {
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly manifest: Blob;
  readonly mediaType: string;
}

export function blob(bytes: Buffer | string): Blob {
  const content = Buffer.from(bytes);
  return { bytes: content, digest: `sha256:${createHash("sha256").update(content).digest("hex")}` };
}

export function descriptor({ bytes, digest }: Blob, mediaType: string): object {
  return { mediaType, digest, size: bytes.length };
}

/** An image of small layers that nobody else has. */
export function makeImage({ layers = 2, more = {}, mediaType = OCI_IMAGE } = {}): TestImage {
  const made = Array.from({ length: layers }, () => blob(gzipSync(randomBytes(512))));
  const config = blob(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      author: randomBytes(8).toString("hex"),
      rootfs: { type: "layers", diff_ids: [] },
    }),
  );
  const isOci = mediaType === OCI_IMAGE;
  const configType = isOci
    ? "application/vnd.oci.image.config.v1+json"
    : "application/vnd.docker.container.image.v1+json";
  const layerType = isOci
    ? "application/vnd.oci.image.layer.v1.tar+gzip"
    : "application/vnd.docker.image.rootfs.diff.tar.gzip";
  const manifest = blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: descriptor(config, configType),
      layers: made.map((one) => descriptor(one, layerType)),
      ...more,
    }),
  );
  return { config, layers: made, manifest, mediaType };
}

/** A list of images. */
export function makeIndex(images: readonly TestImage[], mediaType = OCI_INDEX): Blob {
  const manifests = images.map((image, at) => ({
    ...descriptor(image.manifest, image.mediaType),
    platform: { os: "linux", architecture: at === 0 ? "amd64" : "arm64" },
  }));
  return blob(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
}

/** Writes an image as an OCI layout, from which skopeo copies. */
export async function writeLayout(folder: string, image: TestImage, tag: string): Promise<void> {
  const blobs = join(folder, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  for (const { bytes, digest } of [image.config, ...image.layers, image.manifest])
    await writeFile(join(blobs, digest.replace("sha256:", "")), bytes);
  const annotations = { "org.opencontainers.image.ref.name": tag };
  const manifests = [{ ...descriptor(image.manifest, image.mediaType), annotations }];
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

export interface RegistryResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Code and message of the first error. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export interface RegistryRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** The host to name, where it is not the server's address. */
  readonly host?: string;
}

export type Registry = (method: string, path: string, more?: RegistryRequest) => Promise<RegistryResponse>;

/** Requests to the registry of a server, each with these headers. */
export function registryOf(endpoint: string, common: Readonly<Record<string, string>> = {}): Registry {
  const { hostname, port } = new URL(endpoint);
  return (method, path, { headers = {}, body, host } = {}) =>
    new Promise((resolve, reject) => {
      const all = { ...common, ...headers, ...(host !== undefined && { host }) };
      const request = httpRequest({ hostname, port, method, path, headers: all }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: whole,
            error: errorIn(whole),
          });
        });
      });
      request.once("error", reject);
      request.end(body);
    });
}

function errorIn(body: Buffer): RegistryResponse["error"] {
  try {
    const { errors } = JSON.parse(body.toString()) as { errors?: RegistryResponse["error"][] };
    return errors?.[0];
  } catch {
    return undefined;
  }
}

/** Pushes a layer as docker does: a request that begins, one with all bytes, one that ends. */
export async function pushBlob(registry: Registry, name: string, { bytes, digest }: Blob): Promise<void> {
  const begun = await registry("POST", `/v2/${name}/blobs/uploads/`);
  assert.equal(begun.status, 202, begun.body.toString());
  const { location = "" } = begun.headers;
  const sent = await registry("PATCH", location, { body: bytes });
  assert.equal(sent.status, 202, sent.body.toString());
  const ended = await registry("PUT", `${location}?digest=${digest}`);
  assert.equal(ended.status, 201, ended.body.toString());
}

export async function pushManifest(
  registry: Registry,
  name: string,
  reference: string,
  { bytes }: Blob,
  mediaType: string,
): Promise<RegistryResponse> {
  const path = `/v2/${name}/manifests/${reference}`;
  return registry("PUT", path, { body: bytes, headers: { "content-type": mediaType } });
}

export async function pushImage(
  registry: Registry,
  name: string,
  reference: string,
  image: TestImage,
): Promise<void> {
  for (const one of [image.config, ...image.layers]) await pushBlob(registry, name, one);
  const put = await pushManifest(registry, name, reference, image.manifest, image.mediaType);
  assert.equal(put.status, 201, put.body.toString());
}

/** The header with which a client of ECR's shows its token. */
export async function loginOf(ecr: ECRClient): Promise<{ authorization: string }> {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  return { authorization: `Basic ${authorizationData?.[0]?.authorizationToken ?? ""}` };
}
