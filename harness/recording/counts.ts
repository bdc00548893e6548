// How often each value was recorded, as small as it can be kept for the length of a run. Refuses to be changed: adding up
// gives new ones.

/** What one of these costs beside its numbers, bytes: itself, V8's view of the numbers, its tag and its place in a map. */
const BESIDE_BYTES = 320

/**
 * Values with their counts, values ascending and each once. 16 bytes a value: two numbers of 64 bits, since a response time
 * in microseconds may be more than 32 bits hold. As an array of pairs it would be 72 bytes a value.
 */
export class Counts {
  /** Value and count by turns. */
  readonly #flat: Float64Array

  private constructor(flat: Float64Array) {
    this.#flat = flat
  }

  /** @param pairs [value, count], in any order; counts of equal values are added up */
  static of(pairs: Iterable<readonly [value: number, count: number]>): Counts {
    const sum = new Map<number, number>()
    for (const [value, count] of pairs) sum.set(value, (sum.get(value) ?? 0) + count)
    return new Counts(Float64Array.from([...sum].sort((x, y) => x[0] - y[0]).flat()))
  }

  /** All together. */
  static sum(all: Iterable<Counts>): Counts {
    return Counts.of([...all].flatMap((counts) => counts.pairs()))
  }

  /** [value, count], values ascending. */
  pairs(): Array<[value: number, count: number]> {
    return Array.from({ length: this.#flat.length / 2 }, (_, i) => [this.#flat[2 * i] ?? 0, this.#flat[2 * i + 1] ?? 0])
  }

  /** How many were recorded. */
  get total(): number {
    let total = 0
    for (let i = 1; i < this.#flat.length; i += 2) total += this.#flat[i] ?? 0
    return total
  }

  /** What it takes of memory. */
  get bytes(): number {
    return this.#flat.byteLength + BESIDE_BYTES
  }

  /** Nearest-rank quantile; null when there are none. @param q 0..1 */
  quantile(q: number): number | null {
    if (this.#flat.length === 0) return null
    let left = Math.max(1, Math.ceil(this.total * q))
    let at = 0
    // At q above 1 it is the largest.
    for (; at < this.#flat.length - 2; at += 2) {
      left -= this.#flat[at + 1] ?? 0
      if (left <= 0) break
    }
    return this.#flat[at] ?? null
  }
}
