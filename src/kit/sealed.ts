/** What is kept encrypted and authenticated (AES-256-GCM): a nonce, the text, a tag. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Ids } from "./id.ts";

const CIPHER = "aes-256-gcm";
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param nonce {@link NONCE_BYTES} bytes that this key was never used with. @param text UTF-8 where it is a string */
export function seal(key: Uint8Array, nonce: Uint8Array, text: string | Uint8Array): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce);
  const sealed = typeof text === "string" ? cipher.update(text, "utf8") : cipher.update(text);
  return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error for what was sealed by another key */
export function unseal(key: Uint8Array, sealed: Uint8Array): Buffer {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

export function randomBytes(ids: Ids, bytes: number): Buffer {
  return Buffer.from(ids.hex(bytes * 2), "hex");
}
