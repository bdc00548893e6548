// Plays one block of noise on a flood: evenly through its time, a bounded while for what could not be sent in it, a bounded
// wait for the answers, and the CPU that all of it took. Nothing here polls: the CPU of a block is that of its operations
// and of its ticks, whatever the target's pace.

import type { BlockLedger } from './block-ledger.ts'
import type { NoiseOrder, NoisePlayed } from './noise-messages.ts'
import { pace } from './pace.ts'

export interface Flood {
  readonly ledger: BlockLedger
  /** Sends what is due, as far as there is room; the rest goes by itself as soon as there is. */
  pump(): void
  /** Hangs up on what was not answered, which then counts as errors. */
  abandon(): void
}

/** Beyond the block's end: to send what is left, and to wait for answers. */
const OVERRUN_MS = 1000
const ANSWER_WITHIN_MS = 10_000

export interface Bounds {
  overrunMs: number
  answerWithinMs: number
}

export async function playBlock(
  flood: Flood,
  { count, lengthMs, startNs }: NoiseOrder,
  signal: AbortSignal,
  bounds: Bounds = { overrunMs: OVERRUN_MS, answerWithinMs: ANSWER_WITHIN_MS },
): Promise<NoisePlayed> {
  const { ledger } = flood
  const startMs = performance.now() + Number(startNs - process.hrtime.bigint()) / 1e6
  ledger.begin(count, startMs + lengthMs)
  const cpu = process.threadCpuUsage()
  const allow = (total: number) => {
    ledger.allowed = total
    flood.pump()
  }
  await pace({ count, lengthMs, startMs, allow, signal })
  await atMost(ledger.whenSent(), bounds.overrunMs, signal)
  ledger.forgive()
  await atMost(ledger.whenSettled(), bounds.answerWithinMs, signal)
  flood.abandon()
  const { user, system } = process.threadCpuUsage(cpu)
  const { sent, answered, refused, errors, sentLate, lastSentMs } = ledger
  const lastSentUs = lastSentMs === null ? 0 : Math.round((lastSentMs - startMs) * 1000)
  return { ordered: count, sent, answered, refused, errors, sentLate, lastSentUs, cpuUs: user + system }
}

async function atMost(work: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  const stopped = () => over.resolve()
  signal.addEventListener('abort', stopped)
  await Promise.race([work, over.promise])
  signal.removeEventListener('abort', stopped)
  clearTimeout(timer)
}
