/** The invocations that an environment was handed behind the one under way, in the order in which they will begin. */

interface Waiting {
  readonly requestId: string;
  readonly turn: PromiseWithResolvers<void>;
}

export class InvocationsAhead {
  #waiting: Waiting[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  isFirst(requestId: string): boolean {
    return this.#waiting[0]?.requestId === requestId;
  }

  /** Resolves when its turn has come; rejects when it is taken back. */
  add(requestId: string): Promise<void> {
    const turn = Promise.withResolvers<void>();
    this.#waiting.push({ requestId, turn });
    return turn.promise;
  }

  /** The turn of the first has come. */
  callFirst(): void {
    this.#waiting[0]?.turn.resolve();
  }

  /** The first has begun. */
  removeFirst(): void {
    this.#waiting.shift();
  }

  /** @param requestIds All when absent. @param error What those are told who wait for them. */
  takeBack(requestIds: readonly string[] | undefined, error: Error): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const one of all) {
      if (requestIds && !requestIds.includes(one.requestId)) this.#waiting.push(one);
      else one.turn.reject(error);
    }
  }
}
