/**
 * The code of a version that is a container image: `image:`, the reference that was given, the one by which it is fetched where that is
 * another, and the digest of the manifest that this led to, with spaces between.
 */

const PREFIX = "image:";

export interface ImageCode {
  /** As it was given. */
  readonly uri: string;
  /** By which it is fetched: the name of the server's own registry may mean another account's to others. */
  readonly from: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
}

/** The image that a code stands for; undefined for a zip and for a folder. */
export function imageOf(codeSha256: string): ImageCode | undefined {
  if (!codeSha256.startsWith(PREFIX)) return undefined;
  const parts = codeSha256.slice(PREFIX.length).split(" ");
  const [uri = ""] = parts;
  return { uri, from: parts.at(-2) ?? uri, digest: parts.at(-1) ?? "" };
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

export function imageCode({ uri, from, digest }: ImageCode): string {
  return `${PREFIX}${from === uri ? uri : `${uri} ${from}`} ${digest}`;
}
