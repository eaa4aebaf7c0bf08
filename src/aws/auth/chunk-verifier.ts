/** Holds the signatures of an aws-chunked body's chunks against the chain that begins with the request's own. */
import type { AwsError } from "../errors.ts";
import type { ChunkVerifier } from "../http/aws-chunked.ts";
import type { AuthFailure } from "./auth-errors.ts";
import { chainSignature, sameSignature } from "./sigv4.ts";
import type { SignedRequest } from "./sigv4.ts";
import type { SigningKey } from "./signing-key.ts";

export function chunkVerifier(
  key: SigningKey,
  { amzDate, scope, signature }: SignedRequest,
  fail: (failure: AuthFailure) => AwsError,
): ChunkVerifier {
  let previous = signature;
  const check = (kind: "PAYLOAD" | "TRAILER", sha256: string, given: string) => {
    const expected = chainSignature(kind, key, { amzDate, scope, previous, sha256 });
    if (!sameSignature(expected, given)) throw fail({ kind: "bad-signature" });
    previous = expected;
  };
  return {
    chunk: (sha256, given) => check("PAYLOAD", sha256, given),
    trailer: (sha256, given) => check("TRAILER", sha256, given),
  };
}
