/** What of a parcel changes from attempt to attempt. */
import type { Parcel } from "../aws/parcel.ts";

/** What a target gets in an attempt. @param attempts Made so far. */
export function asAttempt(parcel: Parcel, attempts: number): Parcel {
  const { attemptText, body } = parcel;
  if (attemptText === undefined || !body.includes(attemptText)) return parcel;
  return { ...parcel, body: Buffer.from(body.toString().replaceAll(attemptText, String(attempts + 1))) };
}
