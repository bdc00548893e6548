// What recording costs: nanoseconds a record and kilobytes a histogram of the four kinds that hdr-histogram-js has, beside
// what the generator and the recorder do themselves, in alternating rounds; and what the default gate keeps of a tenant.

import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type BitBucketSize,
  build,
  encodeIntoCompressedBase64,
  type Histogram,
  initWebAssemblySync,
} from 'hdr-histogram-js'
import { Ledger } from '../../harness/load/ledger.ts'
import type { Arrival } from '../../harness/load/schedule.ts'
import { Counts } from '../../harness/recording/counts.ts'
import { fresh } from '../../harness/recording/histogram.ts'
import { logLine } from '../../harness/recording/interval-log.ts'
import { labels, played, responses } from '../recording/played.ts'
import { type Bench, type Figure, figure } from './figures.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 7)
const HEAP_ROUNDS = 3
const RUN_SEED = 7
const RECORDS = 300_000
const LINES = 100
/** Response times of one tenant in a block of the default gate, and in all blocks of an arm. */
const IN_BLOCK = 80
const IN_ARM = 2000
/** How many operations lie in the ledger when it is collected, as after a pair. */
const COLLECTED = 1000

const KINDS: ReadonlyArray<{ name: string; size: BitBucketSize; wasm: boolean }> = [
  { name: '32-bit JS', size: 32, wasm: false },
  { name: 'packed JS', size: 'packed', wasm: false },
  { name: '32-bit WASM', size: 32, wasm: true },
  { name: 'packed WASM', size: 'packed', wasm: true },
]

function make({ size, wasm }: (typeof KINDS)[number]): Histogram {
  return build({ bitBucketSize: size, autoResize: true, numberOfSignificantValueDigits: 3, useWebAssembly: wasm })
}

/** Nanoseconds of CPU for one of so many: on a machine that others use as well, the time on the clock is also theirs. */
function nsEach(count: number, work: () => void): number {
  const from = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(from)
  return ((user + system) * 1000) / count
}

/** A function of its own for each histogram: one that had met several kinds would be compiled for all of them. */
function recorderFor(histogram: Histogram): (values: readonly number[]) => number {
  return (values) => {
    histogram.reset()
    return nsEach(values.length, () => {
      for (const value of values) histogram.recordValue(value)
    })
  }
}

/** The generator's own part: an arrival is taken, handed over and ended, and each pair's are collected, its three times in them. */
function keeping(values: readonly number[]): number {
  const arrivals = values.map((_, i): Arrival => ({ tenant: i % 4, intendedUs: i }))
  const ledger = new Ledger(arrivals)
  return nsEach(values.length, () => {
    for (const [i, value] of values.entries()) {
      const seq = ledger.take()
      ledger.handed(seq, i + 1)
      ledger.ended(seq, i + value, 'ok')
      if (ledger.size === COLLECTED) ledger.collect(i + 1, i)
    }
  })
}

/** The same three times in three histograms of the plain kind. */
function threeRecords(values: readonly number[]): number {
  const [response, service, lateness] = [fresh(), fresh(), fresh()]
  return nsEach(values.length, () => {
    for (const value of values) {
      response.recordValue(value + 1)
      service.recordValue(value)
      lateness.recordValue(1)
    }
  })
}

const interval = { tenant: 'quiet-1', arm: 'noise', block: 1, kind: 'response', startUs: 0, endUs: 1e6 } as const

/** Microseconds for one interval: values in, a line of the log out. */
function ourLine(values: readonly number[]): number {
  return (
    nsEach(LINES, () => {
      for (let n = 0; n < LINES; n++) logLine(interval, values)
    }) / 1000
  )
}

function lineFor(histogram: Histogram): (values: readonly number[]) => number {
  return (values) => {
    const ns = nsEach(LINES, () => {
      for (let n = 0; n < LINES; n++) {
        histogram.reset()
        for (const value of values) histogram.recordValue(value)
        encodeIntoCompressedBase64(histogram)
      }
    })
    return ns / 1000
  }
}

const KB = 1024

/** The heap's difference that a run's recording makes, kilobytes a tenant. */
async function keptKb(): Promise<{ heap: number; computed: number }> {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  /** The smallest of a few: what was just let go is held for a moment longer. */
  const used = async () => {
    let least = Number.POSITIVE_INFINITY
    for (let n = 0; n < 5; n++) {
      await wait(50)
      collectGarbage()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      least = Math.min(least, heapUsed + arrayBuffers)
    }
    return least
  }
  const before = await used()
  const { intervals } = played(RUN_SEED)
  const heap = (await used()) - before
  const computed = [...intervals.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  return { heap: heap / KB / labels.length, computed: computed / KB / labels.length }
}

export const recordingBench: Bench = {
  name: 'recording',
  what: 'ns a record, KB a histogram and KB a tenant, beside the four kinds of hdr-histogram-js',
  async run(say) {
    // Before anything else is on the heap that could be let go meanwhile.
    const kept = { heap: [] as number[], computed: [] as number[] }
    for (let round = 0; round <= HEAP_ROUNDS; round++) {
      const { heap, computed } = await keptKb()
      if (round === 0) continue
      kept.heap.push(heap)
      kept.computed.push(computed)
    }
    initWebAssemblySync()
    const values = responses(RUN_SEED, RECORDS)
    const block = responses(RUN_SEED, IN_BLOCK)
    say(`${RECORDS} records a round, ${ROUNDS} rounds; response times p50 5 ms, 1 in 2,000 of 10 s; seed ${RUN_SEED}`)
    const kinds = KINDS.map(({ name, ...kind }) => {
      const record = recorderFor(make({ name, ...kind }))
      return { name, record, line: lineFor(make({ name, ...kind })), ns: [] as number[], lineUs: [] as number[] }
    })
    const ownRecord = recorderFor(fresh())
    const own = { keepNs: [] as number[], threeNs: [] as number[], ns: [] as number[], lineUs: [] as number[] }
    // A first round of each, which is not counted, as the code is compiled in it.
    for (let round = 0; round <= ROUNDS; round++) {
      const add = (list: number[], found: number) => void (round > 0 && list.push(found))
      add(own.keepNs, keeping(values))
      add(own.threeNs, threeRecords(values))
      add(own.ns, ownRecord(values))
      for (const { record, ns } of kinds) add(ns, record(values))
      add(own.lineUs, ourLine(block))
      for (const { line, lineUs } of kinds) add(lineUs, line(block))
      if (round > 0) say(`round ${round} of ${ROUNDS}: an operation kept ${own.keepNs.at(-1)?.toFixed(0)} ns`)
    }
    const three = 'an operation kept by the generator, its three times; peer: 3 records in 32-bit JS'
    return [
      figure(three, 'ns CPU/operation', own.keepNs, own.threeNs),
      ...kinds.map(({ name, ns }) => figure(`a record in ours; peer: ${name}`, 'ns CPU/record', own.ns, ns)),
      ...kinds.map(({ name, lineUs }) => {
        return figure(`an interval of ${IN_BLOCK} written; peer: ${name}`, 'µs CPU/line', own.lineUs, lineUs)
      }),
      ...KINDS.map((kind) => kilobytes(kind)),
      figure(
        `kept of a tenant in all, heap; peer: computed (default gate, ${labels.length} tenants)`,
        'KB',
        kept.heap,
        kept.computed,
      ),
    ]
  },
}

/** An arm's response times, as they are kept and in one histogram of this kind. */
function kilobytes(kind: (typeof KINDS)[number]): Figure {
  const values = responses(RUN_SEED, IN_ARM)
  const histogram = make(kind)
  for (const value of values) histogram.recordValue(value)
  const scale = fresh()
  scale.recordValue(Math.max(...values))
  const counts = Counts.of(values.map((us) => [scale.highestEquivalentValue(us), 1]))
  const [ours, peer] = [counts.bytes / KB, histogram.estimatedFootprintInBytes / KB]
  if (kind.wasm) histogram.destroy()
  return figure(`${IN_ARM} response times as we keep them; peer: ${kind.name}`, 'KB/histogram', [ours], [peer])
}
