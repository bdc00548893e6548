// Whether this process is about to end. Refuses new starts from then on, and nothing else: who has a run here may read it,
// cancel it and watch it end.

import { EngineError } from '../errors.ts'

/** A process that ends is followed by another, or its address is taken from the list by whoever asks /readyz. */
const RETRY_MS = 1000

export class Drain {
  #begun = false

  begin(): void {
    this.#begun = true
  }

  /** @throws EngineError engine-draining */
  refuseIfBegun(): void {
    if (this.#begun) throw new EngineError('engine-draining', undefined, { retryAfterMs: RETRY_MS })
  }
}
