// Why an attempt must end before its handler returns. Its AbortSignal is made when somebody asks for it: most short jobs never
// do, and a signal with its listener costs more than the rest of their way through the host.

/** One attempt's stop. The first reason counts. */
export class Stop {
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  #listener: (() => void) | undefined;
  #closed: Error | undefined;

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#listener?.();
  }

  /** The process is about to leave: a step under way goes on, and no other one begins. */
  close(reason: Error): void {
    this.#closed ??= reason;
  }

  /** Why no further step begins; undefined while they may. */
  get closed(): Error | undefined {
    return this.#closed;
  }

  /** Undefined while the attempt may go on. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Calls the listener once, at the abort; at once when it has been. The host is the only one who listens here. */
  onAbort(listener: () => void): void {
    this.#listener = listener;
    if (this.#reason !== undefined) listener();
  }
}
