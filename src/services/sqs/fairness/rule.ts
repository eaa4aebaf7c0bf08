/**
 * Which message groups of a standard queue take so much of its consumers that the others' messages come first. Pure.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
 */

/** What a group, or a whole queue, takes of the consumers. */
export interface Load {
  /** Messages that are received and neither deleted nor visible again. */
  readonly inFlight: number;
  /** Between receipt and deletion, of messages that were deleted lately, in milliseconds. */
  readonly processingMs: number;
}

/** A larger share than this makes a group noisy. */
const SHARE_MAX = 0.1;
/** A group with fewer messages in flight is not noisy by their number. */
const IN_FLIGHT_MIN = 30;
/** AWS says only "recent"; of less processing than this in all, a share says nothing. In milliseconds. */
const PROCESSING_MIN_MS = 10_000;
/** A group to which nothing was sent for so long is noisy no more, in milliseconds. */
export const SILENCE_MS = 300_000;

/** The noisy groups, first the one with the fewest messages in flight, which is the next to be received of. */
export function noisyGroups(groups: ReadonlyMap<string, Load>, all: Load): string[] {
  return [...groups]
    .filter(([, load]) => isNoisy(load, all))
    .toSorted(([, left], [, right]) => left.inFlight - right.inFlight)
    .map(([group]) => group);
}

function isNoisy({ inFlight, processingMs }: Load, all: Load): boolean {
  if (inFlight >= IN_FLIGHT_MIN && inFlight > all.inFlight * SHARE_MAX) return true;
  return all.processingMs >= PROCESSING_MIN_MS && processingMs > all.processingMs * SHARE_MAX;
}
