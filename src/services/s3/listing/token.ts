/** Continuation tokens: opaque to callers; they carry the last entry of the page. */
import { createHash } from "node:crypto";
import { invalidArgument } from "../errors.ts";

const CHECK_BYTES = 6;

export function writeToken(last: string): string {
  const text = Buffer.from(last);
  return Buffer.concat([check(text), text]).toString("base64");
}

/** @throws InvalidArgument for what {@link writeToken} did not write. */
export function readToken(token: string): string {
  const bytes = Buffer.from(token, "base64");
  const text = bytes.subarray(CHECK_BYTES);
  if (bytes.length < CHECK_BYTES || !check(text).equals(bytes.subarray(0, CHECK_BYTES)))
    throw invalidArgument("The continuation token provided is incorrect", "continuation-token", token);
  return text.toString();
}

function check(text: Buffer): Buffer {
  return createHash("sha256").update("continuation").update(text).digest().subarray(0, CHECK_BYTES);
}
