/** The registry's images as other services read them, without HTTP. */
import type { Ecr } from "./deps.ts";
import { findImage, recordPull } from "./images.ts";
import type { RepositoryId } from "./names.ts";
import { getRepository } from "./store.ts";
import { getManifest } from "./store-images.ts";
import { getLayer } from "./store-layers.ts";

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Who may read is the caller's to decide. */
export interface StoredImages {
  /** The manifest that a tag or a digest names, noted as a pull; undefined where there is none. */
  manifest(repository: RepositoryId, reference: string): Promise<StoredManifest | undefined>;
  /** The file of a layer or a configuration; undefined where the repository has none such. */
  file(repository: RepositoryId, digest: string): Promise<string | undefined>;
}

export function storedImages(ecr: Ecr): StoredImages {
  return {
    async manifest(id, reference) {
      const repository = await getRepository(ecr.database, id);
      if (!repository) return undefined;
      const { repository_id: repositoryId } = repository;
      const wanted = reference.includes(":") ? { imageDigest: reference } : { imageTag: reference };
      const image = await findImage(ecr.database, repositoryId, wanted);
      const bytes = image && (await getManifest(ecr.database, repositoryId, image.digest));
      if (!image || !bytes) return undefined;
      await recordPull(ecr, repositoryId, image);
      return { digest: image.digest, mediaType: image.media_type, bytes };
    },
    async file(id, digest) {
      const repository = await getRepository(ecr.database, id);
      const layer = repository && (await getLayer(ecr.database, repository.repository_id, digest));
      return layer && ecr.files.path(layer.blob_name);
    },
  };
}
