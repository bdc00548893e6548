// How often a seeded defect was really tripped, told on file descriptor 3 and nowhere else. Refuses to write into a
// descriptor that the parent did not hand over: then it only counts.

import { fstatSync, writeSync } from 'node:fs'

const FD = 3
const EVERY_MS = 200

export interface Trips {
  /** One trip, or as many as are said. */
  count(times?: number): void
  /** Tells the last figure. */
  flush(): void
}

function handedOver(): boolean {
  try {
    const stat = fstatSync(FD)
    return stat.isSocket() || stat.isFIFO() || stat.isFile()
  } catch {
    return false
  }
}

export function openTrips(defect: string): Trips {
  const open = handedOver()
  let trips = 0
  let told = -1
  const flush = () => {
    if (!open || told === trips) return
    try {
      writeSync(FD, `${JSON.stringify({ defect, trips })}\n`)
      told = trips
    } catch {
      // The reader is slow or gone; the next line carries the whole count anyway.
    }
  }
  flush()
  setInterval(flush, EVERY_MS).unref()
  return {
    count: (times = 1) => {
      trips += times
    },
    flush,
  }
}
