/** Finds an image in its registry, and reads what it consists of. */
import { ImageError } from "./image-error.ts";
import { sourceOf } from "./image-source.ts";
import type { ImageSource } from "./image-source.ts";
import { digestOf, readConfig, readManifest } from "./manifest.ts";
import type { Architecture, ImageDefaults, LayerDescriptor, Manifest } from "./manifest.ts";
import { parseReference } from "./reference.ts";
import type { ImageReference } from "./reference.ts";
import type { RegistrySettings } from "./registry-settings.ts";

export interface ImageParts {
  readonly source: ImageSource;
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
  const source = await sourceOf(reference, settings);
  const { digest = reference.tag ?? "latest" } = reference;
  const first = await fetchManifest(source, digest);
  const found = readManifest(first.bytes, first.type, architecture);
  if (!("elsewhere" in found)) return first.digest;
  const inner = await fetchManifest(source, found.elsewhere);
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
  const source = await sourceOf(reference, settings);
  const { bytes, type } = await fetchManifest(source, digest);
  // Resolved before: it is none of an index, for which the architecture would matter.
  const { config, layers } = readManifest(bytes, type, "x86_64") as Manifest;
  const text = await source.small(config.digest);
  if (text.length !== config.size || digestOf(text) !== config.digest)
    throw new ImageError(
      "invalid",
      `what ${source.registry} sent for the configuration ${config.digest} is not that`,
    );
  return { source, layers, ...readConfig(text, layers.length) };
}

async function fetchManifest(source: ImageSource, name: string) {
  const manifest = await source.manifest(name);
  const digest = digestOf(manifest.bytes);
  if (name.startsWith("sha256:") && name !== digest)
    throw new ImageError(
      "invalid",
      `what ${source.registry} sent for the manifest ${name} has the digest ${digest}`,
    );
  return { ...manifest, digest };
}
