/** Whether a request's caller still waits. Most operations never ask, so the signal is made for those that do. */

/** Made once: an error of its own for each caller that leaves would cost more than the rest of a small request. */
const LEFT = new Error("the caller has gone");

export class CallerPresence {
  #hasLeft = false;
  #controller: AbortController | undefined;

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Aborts when the caller has gone. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#hasLeft) this.#controller.abort(LEFT);
    return this.#controller.signal;
  }

  leave(): void {
    this.#hasLeft = true;
    this.#controller?.abort(LEFT);
  }
}
