/** A caller that takes a streamed answer: at once, or only when the test says so. */
import type { AnswerSink } from "../../src/invoke/index.ts";

export interface Taker extends AnswerSink {
  readonly contentTypes: readonly string[];
  /** What came so far. */
  text(): string;
  bytes(): number;
  /** Resolves when bytes have come. */
  readonly begun: Promise<void>;
  /** Takes what comes from now on. */
  release(): void;
}

/** @param isHeld Takes one chunk and then nothing before `release`. */
export function taker(isHeld = false): Taker {
  const chunks: Buffer[] = [];
  const contentTypes: string[] = [];
  const begun = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let holds = isHeld;
  return {
    contentTypes,
    begun: begun.promise,
    start: (contentType) => void contentTypes.push(contentType),
    write(bytes) {
      chunks.push(bytes);
      begun.resolve();
      return holds ? released.promise : undefined;
    },
    text: () => Buffer.concat(chunks).toString(),
    bytes: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    release() {
      holds = false;
      released.resolve();
    },
  };
}
