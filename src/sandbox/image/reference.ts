/** References to container images, as people write them: `host[:port]/repository[:tag][@sha256:…]`. */

export interface ImageReference {
  /** `localhost:5000` */
  readonly registry: string;
  /** `team/app` */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…` */
  readonly digest?: string;
}

const PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const HOST = "(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?";
/** As the OCI distribution specification bounds the parts. */
const REFERENCE = new RegExp(
  `^(${HOST})/(${PART}(?:/${PART})*)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);
const REFERENCE_CHARS_MAX = 1_024;

/** Undefined for what is none; a registry has to be named. Without tag and digest the tag is `latest`. */
export function parseReference(text: string): ImageReference | undefined {
  if (text.length > REFERENCE_CHARS_MAX) return undefined;
  const [, registry, repository, tag, digest] = REFERENCE.exec(text) ?? [];
  if (registry === undefined || repository === undefined || !isHost(registry)) return undefined;
  return {
    registry,
    repository,
    ...(tag === undefined ? (digest === undefined ? { tag: "latest" } : {}) : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The image of exactly this content. */
export function pinnedName({ registry, repository }: ImageReference, digest: string): string {
  return `${registry}/${repository}@${digest}`;
}

/** A first part without dot or port is a part of the repository: Docker would look for it at its own registry. */
function isHost(part: string): boolean {
  return part === "localhost" || /[.:]/.test(part);
}
