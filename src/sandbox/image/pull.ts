/** Finds an image in its registry, and reads what it consists of. */
import { ImageError } from "./image-error.ts";
import { MANIFEST_TYPES, digestOf, readConfig, readManifest } from "./manifest.ts";
import type { Architecture, ImageDefaults, LayerDescriptor, Manifest } from "./manifest.ts";
import { parseReference } from "./reference.ts";
import type { ImageReference } from "./reference.ts";
import { Registry } from "./registry.ts";
import { accessTo } from "./registry-settings.ts";
import type { RegistryAccess, RegistrySettings } from "./registry-settings.ts";

export interface ImageParts {
  readonly access: RegistryAccess;
  readonly repository: string;
  /** The lowest is first. */
  readonly layers: readonly LayerDescriptor[];
  /** Of the layers as they are unpacked. */
  readonly diffIds: readonly string[];
  readonly defaults: ImageDefaults;
}

/**
 * The digest of the manifest that a reference leads to, on an architecture.
 * @throws ImageError where there is none, or none that can be run.
 */
export async function resolveImage(
  uri: string,
  architecture: Architecture,
  settings: RegistrySettings,
): Promise<string> {
  const reference = parseReference(uri);
  if (!reference)
    throw new ImageError(
      "missing",
      `${uri} is no reference to an image: registry/repository[:tag][@sha256:…]`,
    );
  const registry = new Registry(await accessTo(reference, settings));
  const { digest = reference.tag ?? "latest" } = reference;
  const first = await fetchManifest(registry, reference, digest);
  const found = readManifest(first.bytes, first.type, architecture);
  if (!("elsewhere" in found)) return first.digest;
  const inner = await fetchManifest(registry, reference, found.elsewhere);
  if ("elsewhere" in readManifest(inner.bytes, inner.type, architecture))
    throw new ImageError("unsupported", "the image's index leads to another index");
  return inner.digest;
}

/** What the image of a digest consists of. @throws ImageError */
export async function readImage(
  reference: ImageReference,
  digest: string,
  settings: RegistrySettings,
): Promise<ImageParts> {
  const access = await accessTo(reference, settings);
  const registry = new Registry(access);
  const { bytes, type } = await fetchManifest(registry, reference, digest);
  // Resolved before: it is none of an index, for which the architecture would matter.
  const { config, layers } = readManifest(bytes, type, "x86_64") as Manifest;
  const text = await registry.small(reference.repository, config.digest);
  if (text.length !== config.size || digestOf(text) !== config.digest)
    throw new ImageError(
      "invalid",
      `what ${access.registry} sent for the configuration ${config.digest} is not that`,
    );
  return { access, repository: reference.repository, layers, ...readConfig(text, layers.length) };
}

async function fetchManifest(
  registry: Registry,
  { repository, registry: host }: ImageReference,
  name: string,
) {
  const manifest = await registry.manifest(repository, name, MANIFEST_TYPES);
  const digest = digestOf(manifest.bytes);
  if (name.startsWith("sha256:") && name !== digest)
    throw new ImageError("invalid", `what ${host} sent for the manifest ${name} has the digest ${digest}`);
  return { ...manifest, digest };
}
