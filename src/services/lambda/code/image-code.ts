/**
 * The code of a version that is a container image: `image:`, the reference that was given, a space, and the digest of the manifest
 * that this led to.
 */

const PREFIX = "image:";

export interface ImageCode {
  /** As it was given. */
  readonly uri: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
}

/** The image that a code stands for; undefined for a zip and for a folder. */
export function imageOf(codeSha256: string): ImageCode | undefined {
  if (!codeSha256.startsWith(PREFIX)) return undefined;
  const [uri = "", digest = ""] = codeSha256.slice(PREFIX.length).split(" ");
  return { uri, digest };
}

/** The same for whatever reference led to the same image. */
export function codeIdentity(codeSha256: string): string {
  const image = imageOf(codeSha256);
  return image ? `${PREFIX}${image.digest}` : codeSha256;
}

/** The last part of every code of an image. */
export function imageSuffix(digest: string): string {
  return ` ${digest}`;
}

export function imageCode({ uri, digest }: ImageCode): string {
  return `${PREFIX}${uri} ${digest}`;
}
