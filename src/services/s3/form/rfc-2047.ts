/** Text beyond ASCII as S3 keeps it in metadata: as encoded words (RFC 2047), which headers can carry. */

/** All of it printable ASCII, or the blanks of a line. */
const PLAIN = /^[\t\r\n\x20-\x7e]*$/;
const UNENCODED = /[A-Za-z0-9!*+/-]/;

/** Unchanged for plain text; else in quoted form where most of it is plain, in base64 where most is not. */
export function rfc2047(text: string): string {
  if (PLAIN.test(text)) return text;
  const others = text.replace(/[\t\r\n\x20-\x7e]/g, "").length;
  const bytes = Buffer.from(text, "utf8");
  if (others * 2 >= text.length) return `=?UTF-8?B?${bytes.toString("base64")}?=`;
  const quoted = [...bytes].map((byte) => {
    const character = String.fromCharCode(byte);
    if (character === " ") return "_";
    return UNENCODED.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `=?UTF-8?Q?${quoted.join("")}?=`;
}
