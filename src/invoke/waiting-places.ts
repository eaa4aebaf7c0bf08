/** How many processes may wait for a function: as many as fit into the memory that the machine has to give. */
import { waitingBytes, waitingFreeBytesMin, waitingFreeShareMin } from "./limits.ts";
import type { MemoryReading } from "./memory-pressure.ts";

/** @param waiting Those that wait already, whose memory is not free any more. Where nothing tells what is free, there is no bound. */
export function waitingPlaces({ availableBytes, totalBytes }: MemoryReading, waiting: number): number {
  if (availableBytes === undefined || totalBytes === undefined) return Infinity;
  const kept = Math.max(waitingFreeBytesMin, totalBytes * waitingFreeShareMin);
  return Math.max(0, waiting + Math.floor((availableBytes - kept) / waitingBytes));
}
