/** Temporary credentials in STS's shape. */
import type { TemporaryCredentials } from "./ports.ts";

export function toCredentials(credentials: TemporaryCredentials) {
  return {
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    SessionToken: credentials.sessionToken,
    // Times of STS have whole seconds.
    Expiration: new Date(Math.floor(credentials.expiresAt / 1_000) * 1_000),
  };
}
