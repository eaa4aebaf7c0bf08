/** One owner at a time for a named thing (a shard, a schedule, a poller), over any number of servers. */
export interface Lease {
  readonly name: string;
  /** Grows with every change of owner; a write that carries an older one is stale. */
  readonly epoch: number;
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

export interface Leases {
  /** Takes the lease for `durationMs`, or answers undefined while someone else holds it. */
  acquire(name: string, owner: string, durationMs: number): Promise<Lease | undefined>;
}
