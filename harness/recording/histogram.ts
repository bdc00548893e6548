// The one kind of histogram that is used: integer microseconds, 3 significant digits. Refuses nothing; NaN must not come.

import { build, type Histogram } from 'hdr-histogram-js'

/** The plain JS histogram also walks its buckets; the package's type of `build` does not say so. */
export interface WalkableHistogram extends Histogram {
  recordedValuesIterator: {
    reset(): void
    hasNext(): boolean
    next(): { valueIteratedTo: number; countAtValueIteratedTo: number }
  }
}

export function fresh(): WalkableHistogram {
  // 32-bit counts in plain JS: fewer than 2^32 samples an interval, and nothing that must be destroyed.
  return build({
    bitBucketSize: 32,
    autoResize: true,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  }) as WalkableHistogram
}
