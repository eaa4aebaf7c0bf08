/** What becomes of stored content when the transaction that should have named it fails. */
import { AwsError } from "../../aws/errors.ts";
import type { S3 } from "./deps.ts";

/**
 * Removes the content when our own rules refused it: then nothing was written. After any other failure the commit may
 * have happened all the same (a connection lost while it was answered), so the content stays; where no row names it,
 * the next start removes it.
 */
export function discardRefused(s3: S3, error: unknown, blobName: string | null): void {
  if (error instanceof AwsError) s3.content.discard([blobName]);
}
