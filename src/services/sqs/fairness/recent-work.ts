/** How long the consumers of one queue were lately at work, for each message group. */

/** Of the two halves that are looked back on, the newer one of which is not full yet; in milliseconds. */
const HALF_MS = 150_000;
/** Claims whose end is waited for; then the oldest are forgotten. */
const CLAIMS_MAX = 20_000;

interface Half {
  all: number;
  readonly byGroup: Map<string, number>;
}

export class RecentWork {
  readonly #claims = new Map<number, { readonly group: string | null; readonly at: number }>();
  #older: Half = emptyHalf();
  #newer: Half = emptyHalf();
  #since = 0;

  /** A message was received. */
  began(seq: number, group: string | null, now: number): void {
    this.#claims.delete(seq);
    if (this.#claims.size >= CLAIMS_MAX) this.#claims.delete(this.#claims.keys().next().value ?? 0);
    this.#claims.set(seq, { group, at: now });
  }

  /** A message was deleted. */
  ended(seq: number, now: number): void {
    const claim = this.#claims.get(seq);
    if (!claim) return;
    this.#claims.delete(seq);
    this.#turn(now);
    const half = this.#newer;
    const took = Math.max(0, now - claim.at);
    half.all += took;
    if (claim.group !== null) half.byGroup.set(claim.group, (half.byGroup.get(claim.group) ?? 0) + took);
  }

  /** In milliseconds: of all messages, and of each group that has any. */
  until(now: number): { readonly all: number; readonly byGroup: ReadonlyMap<string, number> } {
    this.#turn(now);
    const byGroup = new Map(this.#older.byGroup);
    for (const [group, ms] of this.#newer.byGroup) byGroup.set(group, (byGroup.get(group) ?? 0) + ms);
    return { all: this.#older.all + this.#newer.all, byGroup };
  }

  #turn(now: number): void {
    const halves = Math.floor((now - this.#since) / HALF_MS);
    if (halves <= 0) return;
    this.#older = halves === 1 ? this.#newer : emptyHalf();
    this.#newer = emptyHalf();
    this.#since = now;
  }
}

function emptyHalf(): Half {
  return { all: 0, byGroup: new Map() };
}
