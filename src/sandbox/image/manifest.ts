/** Manifests and configurations of images, of the OCI's kind and Docker's (schema 2): read, and checked for what Lambda runs. */
import { createHash } from "node:crypto";
import { ImageError } from "./image-error.ts";

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
/** What a registry is asked for. */
export const MANIFEST_TYPES = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(", ");

const CONFIG_TYPES = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];
/** Media type of a layer → how it is packed. Layers that a registry may not hand on are packed alike. */
const PACKINGS: Readonly<Record<string, Packing>> = {
  "application/vnd.oci.image.layer.v1.tar": "plain",
  "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
  "application/vnd.oci.image.layer.nondistributable.v1.tar": "plain",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
  "application/vnd.docker.image.rootfs.diff.tar": "plain",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "gzip",
};

/** Layers of one image; Docker allows as many. */
export const LAYERS_MAX = 127;
/** An image, unpacked. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const IMAGE_BYTES_MAX = 10 * 1024 ** 3;

export type Packing = "plain" | "gzip" | "zstd";
/** As Lambda's API names them. */
export type Architecture = "x86_64" | "arm64";

export interface LayerDescriptor {
  /** `sha256:…` of the layer as it is packed. */
  readonly digest: string;
  /** Of the layer as it is packed, in bytes. */
  readonly size: number;
  readonly packing: Packing;
}

export interface Manifest {
  readonly config: { readonly digest: string; readonly size: number };
  /** The lowest is first. */
  readonly layers: readonly LayerDescriptor[];
}

/** How an image says that it is to be run. */
export interface ImageDefaults {
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** `NAME=value` */
  readonly environment: readonly string[];
}

interface Descriptor {
  readonly mediaType?: unknown;
  readonly digest?: unknown;
  readonly size?: unknown;
  readonly platform?: { readonly os?: unknown; readonly architecture?: unknown };
}

interface ManifestDocument {
  readonly schemaVersion?: unknown;
  readonly mediaType?: unknown;
  readonly manifests?: unknown;
  readonly config?: Descriptor;
  readonly layers?: unknown;
}

const NAMES = { x86_64: "amd64", arm64: "arm64" } as const satisfies Record<Architecture, string>;

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/**
 * What a manifest says: an image, or where that for an architecture is to be found.
 * @param type The registry's, for documents that name none themselves.
 * @throws ImageError for what is no manifest that Lambda runs.
 */
export function readManifest(
  bytes: Buffer,
  type: string,
  architecture: Architecture,
): Manifest | { readonly elsewhere: string } {
  const document = parse(bytes) as ManifestDocument;
  const mediaType = typeof document.mediaType === "string" ? document.mediaType : type;
  if (mediaType === OCI_INDEX || mediaType === DOCKER_LIST || Array.isArray(document.manifests))
    return { elsewhere: choose(document.manifests, architecture) };
  if (mediaType !== OCI_MANIFEST && mediaType !== DOCKER_MANIFEST)
    throw new ImageError("unsupported", `manifests of the type ${mediaType || "(none)"} are not supported`);
  const { config, layers } = document;
  if (!config || !Array.isArray(layers)) throw new ImageError("invalid", "the manifest names no layers");
  if (!CONFIG_TYPES.includes(String(config.mediaType)))
    throw new ImageError(
      "unsupported",
      `configurations of the type ${String(config.mediaType)} are not supported`,
    );
  if (layers.length === 0) throw new ImageError("invalid", "the image has no layer");
  if (layers.length > LAYERS_MAX)
    throw new ImageError(
      "unsupported",
      `an image has at most ${LAYERS_MAX} layers; this one has ${layers.length}`,
    );
  const manifest = { config: sized(config), layers: layers.map((layer: Descriptor) => readLayer(layer)) };
  const bytesPacked = manifest.layers.reduce((sum, { size }) => sum + size, 0);
  if (bytesPacked > IMAGE_BYTES_MAX) throw imageTooLarge();
  return manifest;
}

/** The uncompressed layers' digests, and how the image is to be run. @throws ImageError */
export function readConfig(
  bytes: Buffer,
  layerCount: number,
): { readonly diffIds: readonly string[]; readonly defaults: ImageDefaults } {
  const document = parse(bytes) as {
    readonly os?: unknown;
    readonly rootfs?: { readonly diff_ids?: unknown };
    readonly config?: Readonly<Record<string, unknown>> | null;
  };
  if (document.os !== undefined && document.os !== "linux")
    throw new ImageError("unsupported", `images of ${JSON.stringify(document.os)} are not supported`);
  const diffIds = texts(document.rootfs?.diff_ids);
  if (diffIds.length !== layerCount || !diffIds.every(isDigest))
    throw new ImageError("invalid", "the image's configuration does not name the digests of its layers");
  const config = document.config ?? {};
  return {
    diffIds,
    defaults: {
      entryPoint: texts(config["Entrypoint"]),
      command: texts(config["Cmd"]),
      workingDirectory: typeof config["WorkingDir"] === "string" ? config["WorkingDir"] : "",
      environment: texts(config["Env"]),
    },
  };
}

export function imageTooLarge(): ImageError {
  return new ImageError(
    "invalid",
    `the image is larger, unpacked, than the ${IMAGE_BYTES_MAX} bytes it may have`,
  );
}

function choose(manifests: unknown, architecture: Architecture): string {
  const list = Array.isArray(manifests) ? (manifests as Descriptor[]) : [];
  const fits = list.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === NAMES[architecture],
  );
  if (fits) return sized(fits).digest;
  const offered = list
    .map(({ platform }) => `${String(platform?.os)}/${String(platform?.architecture)}`)
    .filter((name) => !name.includes("unknown"))
    .slice(0, 20);
  throw new ImageError(
    "unsupported",
    `the image is not there for linux/${NAMES[architecture]}; it is for ${offered.join(", ") || "nothing"}`,
  );
}

function readLayer(layer: Descriptor): LayerDescriptor {
  const packing = PACKINGS[String(layer.mediaType)];
  if (packing === undefined)
    throw new ImageError("unsupported", `layers of the type ${String(layer.mediaType)} are not supported`);
  return { ...sized(layer), packing };
}

function sized({ digest, size }: Descriptor): { digest: string; size: number } {
  if (!isDigest(digest) || !Number.isSafeInteger(size) || Number(size) < 0)
    throw new ImageError("invalid", "the manifest names something without a SHA-256 digest or a size");
  return { digest, size: Number(size) };
}

function isDigest(value: unknown): value is string {
  return typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value);
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function parse(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // As for what is JSON and no object.
  }
  throw new ImageError("invalid", "the registry's answer is no manifest");
}
