/** Reads a copy's source into content of its own, also when the source is replaced in the very moment. */
import { Readable } from "node:stream";
import { BlobNotFound } from "../../store/blobs.ts";
import type { ByteRange } from "../../store/blobs.ts";
import type { ChecksumAlgorithm } from "./checksum/algorithms.ts";
import type { Received } from "./content.ts";
import type { FoundSource } from "./copy-source.ts";
import type { S3 } from "./deps.ts";
import type { ObjectRow } from "./rows.ts";

/** How often the source is looked up anew when its content was removed between the two looks. */
const ATTEMPTS_MAX = 5;

export interface ReceivedCopy {
  readonly row: ObjectRow;
  readonly received: Received;
  readonly algorithm: ChecksumAlgorithm;
}

export async function receiveCopy(
  s3: S3,
  find: () => Promise<FoundSource>,
  algorithmFor: (source: FoundSource) => ChecksumAlgorithm,
  rangeFor: (source: FoundSource) => ByteRange | undefined,
  options: { readonly inline: boolean; readonly key?: Buffer | undefined },
): Promise<ReceivedCopy> {
  for (let attempt = 1; ; attempt++) {
    const source = await find();
    const algorithm = algorithmFor(source);
    try {
      const content = await s3.content.read(source.row, rangeFor(source));
      const stream = content instanceof Readable ? content : Readable.from([content]);
      return { row: source.row, algorithm, received: await s3.content.receive(stream, algorithm, options) };
    } catch (error) {
      if (!(error instanceof BlobNotFound) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
