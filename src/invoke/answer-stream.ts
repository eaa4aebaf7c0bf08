/** A streamed answer on its way from the runtime to the caller: bounded, no faster than the caller takes it, within AWS's limits. */
import { ByteCollector } from "../kit/byte-collector.ts";
import { responseBytesMax } from "./limits.ts";
import type { StreamLimits } from "./limits.ts";
import { RateBucket } from "./rate-bucket.ts";
import type { AnswerSink } from "./types.ts";
import type { Verdict } from "./verdict.ts";

/** Where a channel puts a streamed answer as it comes in. */
export interface AnswerIntake {
  /** The next bytes. The channel bounds what it puts in before it hears that earlier bytes were taken. */
  write(bytes: Buffer): void;
  /** The answer is whole; with a failure, it ends here without being so. */
  end(failure?: { readonly errorType: string; readonly payload: Buffer }): void;
  /** The answer ends here by a fault of the runtime, not of the handler. */
  refuse(errorType: string, errorMessage: string): void;
}

/** The channel that a streamed answer comes through. */
export interface AnswerSource {
  /** What was put in is held no longer: the weight of it, see {@link weightOf}. */
  taken(weight: number): void;
  /** The answer has ended and the caller has it, or nobody waits for it any more. @param isTooLarge It was cut at the limit. */
  ended(isTooLarge: boolean): void;
}

const NOTHING = Buffer.alloc(0);
/** What a Buffer costs beside its bytes: a flood of tiny chunks is bounded like one of large ones. */
const chunkWeight = 128;
/** How much of an answer may wait here for a caller that is slow to take it, by weight. */
export const answerWindowBytes = 524_288;
/** Small chunks that wait are handed over together, up to this many bytes. */
const writeBytesMax = 65_536;

/** How much of {@link answerWindowBytes} a chunk takes while it waits. */
export function weightOf(bytes: Buffer): number {
  return bytes.length + chunkWeight;
}

export interface AnswerStreamSpec {
  readonly contentType: string;
  /** Absent where the caller takes answers whole: then it is collected. */
  readonly sink: AnswerSink | undefined;
  readonly limits: StreamLimits;
  readonly source: AnswerSource;
  /** Hears once how the answer ended, unless it was closed before. */
  readonly hear: (verdict: Verdict) => void;
}

export class AnswerStream implements AnswerIntake {
  /** Bytes of the answer that the function has made so far. */
  bytes = 0;
  /** Monotonic milliseconds of its first byte. */
  readonly startedAt = performance.now();
  readonly #spec: AnswerStreamSpec;
  /** The whole answer, for a caller that takes it whole. */
  readonly #collected: ByteCollector | undefined;
  readonly #bytesMax: number;
  readonly #rate: RateBucket;
  #waiting: Buffer[] = [];
  /** A write has been asked to wait, by the caller or by the rate. */
  #isHeld = false;
  #timer: NodeJS.Timeout | undefined;
  #verdict: Verdict | undefined;
  #isClosed = false;
  #hasEnded = false;

  constructor(spec: AnswerStreamSpec) {
    this.#spec = spec;
    const { sink, limits } = spec;
    this.#bytesMax = sink ? limits.bytesMax : responseBytesMax;
    this.#rate = new RateBucket(limits.burstBytes, sink ? limits.bytesPerSecond : 0, this.startedAt);
    if (sink) sink.start(spec.contentType);
    else this.#collected = new ByteCollector();
  }

  write(bytes: Buffer): void {
    if (this.#isClosed || this.#verdict) return this.#spec.source.taken(weightOf(bytes));
    const room = this.#bytesMax - this.bytes;
    this.bytes += bytes.length;
    if (bytes.length > room) {
      // The caller gets what is allowed, and that it is not all; the rest goes nowhere.
      this.#verdict = { kind: "tooLarge", bytesMax: this.#bytesMax };
      this.#waiting.push(bytes.subarray(0, room));
      this.#spec.source.taken(bytes.length - room);
    } else this.#waiting.push(bytes);
    this.#pump();
  }

  end(failure?: { readonly errorType: string; readonly payload: Buffer }): void {
    this.#endWith({ kind: "answer", ...(failure ?? { payload: NOTHING }) });
  }

  refuse(errorType: string, errorMessage: string): void {
    this.#endWith({ kind: "refused", errorType, errorMessage });
  }

  /** Nobody waits for this answer any more: what still comes is dropped. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const bytes of this.#waiting.splice(0)) this.#spec.source.taken(weightOf(bytes));
    if (this.#hasEnded) this.#tellSource();
  }

  #endWith(verdict: Verdict): void {
    this.#hasEnded = true;
    if (this.#isClosed) return this.#tellSource();
    this.#verdict ??= verdict;
    this.#pump();
  }

  #tellSource(): void {
    this.#spec.source.ended(this.#verdict?.kind === "tooLarge");
  }

  #pump(): void {
    while (!this.#isHeld && !this.#isClosed && this.#waiting.length > 0) {
      const waitMs = this.#rate.waitMs(performance.now());
      if (waitMs > 0) return this.#hold(waitMs);
      const { bytes, weight } = this.#next();
      this.#rate.spend(bytes.length);
      const busy = this.#spec.sink ? this.#spec.sink.write(bytes) : this.#collected?.push(bytes);
      if (!busy) this.#spec.source.taken(weight);
      else void this.#await(busy, weight);
    }
    if (!this.#isHeld && !this.#isClosed) this.#settle();
  }

  /** The caller asked to wait. */
  async #await(busy: Promise<void>, weight: number): Promise<void> {
    this.#isHeld = true;
    await busy;
    this.#spec.source.taken(weight);
    this.#resume();
  }

  /** What waits, as one piece of at most {@link writeBytesMax} bytes or as the one chunk that is larger. */
  #next(): { bytes: Buffer; weight: number } {
    let count = 0;
    let size = 0;
    let weight = 0;
    for (const bytes of this.#waiting) {
      if (count > 0 && size + bytes.length > writeBytesMax) break;
      count++;
      size += bytes.length;
      weight += weightOf(bytes);
    }
    const pieces = this.#waiting.splice(0, count);
    return { bytes: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces, size), weight };
  }

  #hold(waitMs: number): void {
    this.#isHeld = true;
    this.#timer = setTimeout(() => this.#resume(), waitMs);
  }

  #resume(): void {
    this.#isHeld = false;
    this.#pump();
  }

  /** Nothing waits. Where that is the end, it is told: to whoever waits for the answer, then to where it came from. */
  #settle(): void {
    const verdict = this.#verdict;
    if (!verdict) return;
    this.#isClosed = true;
    const isWhole = verdict.kind === "answer" && verdict.errorType === undefined;
    const whole = isWhole ? this.#collected?.bytes() : undefined;
    this.#spec.hear(whole ? { kind: "answer", payload: whole } : verdict);
    if (this.#hasEnded) this.#tellSource();
  }
}
