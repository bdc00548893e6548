// The one kind of histogram that is used: integer microseconds, 3 significant digits, as large as its largest value wants.
// Refuses nothing; NaN must not come.

import { Int32Histogram } from 'hdr-histogram-js'

/** Fewer than 2^32 samples an interval. Why this kind and not another: harness/README.md. */
export function fresh(): Int32Histogram {
  const histogram = new Int32Histogram(1, 2, 3)
  histogram.autoResize = true
  return histogram
}
