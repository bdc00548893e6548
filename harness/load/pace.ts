// Spreads a fixed number of operations evenly over a fixed time. Bounded in count and time; carries on late rather than
// dropping, and stops when told.

/**
 * Calls `emit(n)` about every millisecond with the number of operations now due; resolves when `count` are emitted.
 * @param emit returns how many of the n it could take; the others are offered again
 * @param giveUpMs after this many milliseconds beyond the end what is left is given up
 */
export async function pace(
  count: number,
  lengthMs: number,
  emit: (due: number) => number,
  stopped: () => boolean,
  giveUpMs = 1000,
): Promise<number> {
  const start = performance.now()
  let emitted = 0
  while (emitted < count && !stopped()) {
    const elapsed = performance.now() - start
    if (elapsed > lengthMs + giveUpMs) break
    const due = Math.min(count, Math.ceil((elapsed / lengthMs) * count)) - emitted
    if (due > 0) emitted += emit(due)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return emitted
}
