/** ECR's quotas. @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html */

const MIB = 1024 * 1024;

export const LAYER_BYTES_MAX = 52_000 * MIB;
export const MANIFEST_BYTES_MAX = 4 * MIB;
/** Of parts by UploadLayerPart; the last may be smaller, and the registry's chunks may have any size. */
export const PART_BYTES_MIN = 5 * MIB;
/** What InitiateLayerUpload tells. */
export const PART_BYTES = 10 * MIB;
/** By UploadLayerPart. */
export const PARTS_MAX = 4_200;
/** Each is a file until the layer is complete: our own bound. */
export const CHUNKS_MAX = 20_000;
/** Under way to one repository: our own bound. */
export const UPLOADS_MAX = 10_000;
export const REPOSITORIES_MAX = 100_000;
export const IMAGES_MAX = 100_000;
export const TAGS_PER_IMAGE_MAX = 1_000;
export const RESOURCE_TAGS_MAX = 50;
export const LIFECYCLE_RULES_MAX = 50;

const HOUR_MS = 3_600_000;

export const TOKEN_MS = 12 * HOUR_MS;
export const DOWNLOAD_URL_MS = HOUR_MS;
/** How long a layer that came, and that no manifest names yet, waits for one. */
export const NEW_LAYER_MS = 24 * HOUR_MS;
/** How long a layer stays that no manifest names any more: another push may have been told just now that it is there. */
export const UNUSED_LAYER_MS = HOUR_MS;
/** How long an upload may rest. */
export const UPLOAD_IDLE_MS = 24 * HOUR_MS;
/** How often what has expired is removed, and lifecycle policies are applied. */
export const HOUSEKEEPING_MS = HOUR_MS;
/** The time of the last pull is written at most so often. */
export const PULL_RECORD_MS = HOUR_MS;
