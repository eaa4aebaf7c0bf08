/** Reads manifests: Docker's schema 2 and OCI's, of one image or of a list of them. */

export const DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json";
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

const IMAGES: readonly string[] = [DOCKER_IMAGE, OCI_IMAGE];
const LISTS: readonly string[] = [DOCKER_LIST, OCI_INDEX];

/** A manifest names so many layers, or other manifests, at most. */
const DESCRIPTORS_MAX = 1_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** Of an image in a list. */
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

export interface Manifest {
  readonly mediaType: string;
  /** Layers and configuration that have to be in the repository. */
  readonly layers: readonly Descriptor[];
  /** Manifests that have to be in the repository. */
  readonly manifests: readonly Descriptor[];
  /** The digest of the manifest that this one is about. */
  readonly subject: string | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** Why something is no manifest that is taken. */
export class ManifestFault extends Error {}

/** @param mediaType What the caller says that it is. @throws ManifestFault */
export function readManifest(bytes: Uint8Array, mediaType: string | undefined): Manifest {
  const json = parse(bytes);
  const own = json["mediaType"];
  if (own !== undefined && typeof own !== "string") throw new ManifestFault("mediaType is no text");
  if (json["schemaVersion"] === 1)
    throw new ManifestFault(
      "Manifests of schema version 1 are not taken; push the image as schema version 2",
    );
  if (json["schemaVersion"] !== 2) throw new ManifestFault("schemaVersion is not 2");
  const type = mediaType ?? own;
  if (type === undefined) throw new ManifestFault("The manifest has no mediaType, and none was given");
  if (own !== undefined && own !== type)
    throw new ManifestFault(`The manifest's mediaType is ${own}, and was given as ${type}`);
  if (!IMAGES.includes(type) && !LISTS.includes(type))
    throw new ManifestFault(
      `Manifests of the media type ${type} are not taken; those of ${[...IMAGES, ...LISTS].join(", ")} are`,
    );
  const subject = json["subject"] === undefined ? undefined : descriptor(json["subject"], "subject");
  const common = { mediaType: type, subject: subject?.digest, annotations: annotationsOf(json) };
  if (LISTS.includes(type)) {
    const manifests = descriptors(json["manifests"], "manifests");
    return { ...common, layers: [], manifests, artifactType: textOf(json, "artifactType") };
  }
  const config = descriptor(json["config"], "config");
  const layers = descriptors(json["layers"], "layers").filter((layer) => !isForeign(layer));
  return {
    ...common,
    layers: [config, ...layers],
    manifests: [],
    // As the specification has it for artifacts that say what they are by their configuration.
    artifactType: textOf(json, "artifactType") ?? (type === OCI_IMAGE ? config.mediaType : undefined),
  };
}

export function isList(mediaType: string): boolean {
  return LISTS.includes(mediaType);
}

export function isImage(mediaType: string): boolean {
  return IMAGES.includes(mediaType);
}

/** Layers that their maker does not let others hand out lie elsewhere. */
function isForeign({ mediaType }: Descriptor): boolean {
  return (
    mediaType.startsWith("application/vnd.docker.image.rootfs.foreign.") ||
    mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.")
  );
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // Answered below.
  }
  throw new ManifestFault("The manifest is no JSON object");
}

function descriptors(json: unknown, name: string): Descriptor[] {
  if (!Array.isArray(json)) throw new ManifestFault(`${name} is no list`);
  if (json.length > DESCRIPTORS_MAX)
    throw new ManifestFault(`${name} has ${json.length} members; at most ${DESCRIPTORS_MAX} are allowed`);
  return json.map((one, at) => descriptor(one, `${name}[${at}]`));
}

function descriptor(json: unknown, name: string): Descriptor {
  const { mediaType, digest, size, platform } = (json ?? {}) as Record<string, unknown>;
  if (typeof mediaType !== "string") throw new ManifestFault(`${name} has no mediaType`);
  if (typeof digest !== "string" || !DIGEST.test(digest))
    throw new ManifestFault(`${name} has no digest that is sha256: and 64 hexadecimal digits`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new ManifestFault(`${name} has no size`);
  const where = typeof platform === "object" && platform !== null ? { platform } : {};
  return { mediaType, digest, size, ...where };
}

function annotationsOf(json: Record<string, unknown>): Record<string, string> | undefined {
  const given = json["annotations"];
  if (given === undefined || given === null) return undefined;
  if (typeof given !== "object" || Object.values(given).some((value) => typeof value !== "string"))
    throw new ManifestFault("annotations are no texts by name");
  return given as Record<string, string>;
}

function textOf(json: Record<string, unknown>, name: string): string | undefined {
  const value = json[name];
  if (value === undefined || value === "") return undefined;
  if (typeof value !== "string") throw new ManifestFault(`${name} is no text`);
  return value;
}
