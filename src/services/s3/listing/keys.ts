/** Bytes of keys in a listing: spans, prefixes that stand for many keys, and the encoding that XML can carry. */

/** Greater than every key: no UTF-8 text contains this byte. */
export const AFTER_ALL_KEYS = Buffer.from([0xff]);

/** The least byte string that is greater than everything beginning with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return AFTER_ALL_KEYS;
  const next = Buffer.from(prefix.subarray(0, end));
  next[end - 1] = (next[end - 1] ?? 0) + 1;
  return next;
}

/** The least byte string that is greater than `key`. */
export function afterKey(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

/** What a key is rolled up into: everything to the first delimiter after the prefix, or undefined. */
export function commonPrefix(key: Buffer, prefix: Buffer, delimiter: Buffer): Buffer | undefined {
  if (delimiter.length === 0 || !startsWith(key, prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.subarray(0, at + delimiter.length);
}

export function startsWith(key: Buffer, prefix: Buffer): boolean {
  return key.length >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}

export function later(one: Buffer, other: Buffer): Buffer {
  return one.compare(other) >= 0 ? one : other;
}

/** Text as `encoding-type=url` gives it: form encoding, with slashes left alone. */
export function urlEncoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+")
    .replace(/[!'()~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
