/** Where the parts of an image are read: from a registry on the network, or from this server's own. */
import { createReadStream, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { ImageError } from "./image-error.ts";
import { MANIFEST_TYPES } from "./manifest.ts";
import type { ImageReference } from "./reference.ts";
import { Registry } from "./registry.ts";
import { accessTo } from "./registry-settings.ts";
import type { OwnRegistry, RegistryAccess, RegistrySettings } from "./registry-settings.ts";

export interface ImageSource {
  /** As messages name it. */
  readonly registry: string;
  /** A manifest by tag or digest, as it is. @throws ImageError */
  manifest(name: string): Promise<{ bytes: Buffer; type: string }>;
  /** A configuration, whole. @throws ImageError */
  small(digest: string): Promise<Buffer>;
  layer(digest: string): Promise<LayerSource>;
}

/** Where one layer is read; can be handed to another thread. */
export type LayerSource = {
  readonly registry: string;
  readonly repository: string;
} & ({ readonly access: RegistryAccess } | { readonly file: string | undefined });

/** @throws ImageError when the file with logins cannot be read. */
export async function sourceOf(
  { registry, repository }: ImageReference,
  settings: RegistrySettings,
): Promise<ImageSource> {
  const own = settings.own?.(registry);
  return own
    ? ownSource(own, registry, repository)
    : remoteSource(await accessTo({ registry }, settings), repository);
}

/** The bytes of a layer from an offset on; a registry that cannot skip sends what comes before too. @throws ImageError */
export async function readLayer(
  source: LayerSource,
  digest: string,
  offset: number,
  signal: AbortSignal,
): Promise<{ body: Readable; from: number }> {
  const { registry, repository } = source;
  if ("access" in source) return new Registry(source.access, signal).content(repository, digest, offset);
  if (source.file === undefined || !existsSync(source.file)) throw missing(registry, repository, digest);
  return { body: createReadStream(source.file, { start: offset, signal }), from: offset };
}

function remoteSource(access: RegistryAccess, repository: string): ImageSource {
  const { registry } = access;
  const remote = new Registry(access);
  return {
    registry,
    manifest: (name) => remote.manifest(repository, name, MANIFEST_TYPES),
    small: (digest) => remote.small(repository, digest),
    layer: async () => ({ registry, repository, access }),
  };
}

function ownSource(own: OwnRegistry, registry: string, repository: string): ImageSource {
  return {
    registry,
    async manifest(name) {
      const found = await own.manifest(repository, name);
      if (!found) throw missing(registry, repository, name);
      return { bytes: found.bytes, type: found.mediaType };
    },
    async small(digest) {
      const file = await own.file(repository, digest);
      if (file === undefined) throw missing(registry, repository, digest);
      return readFile(file);
    },
    layer: async (digest) => ({ registry, repository, file: await own.file(repository, digest) }),
  };
}

function missing(registry: string, repository: string, what: string): ImageError {
  return new ImageError("missing", `${registry}/${repository} has no ${what}`);
}
