// Between two blocks: is the noisy backlog gone, and is the target still there? Refuses to take silence for an answer: what
// the target does not say is told apart from what it says, and nothing is waited for longer than the bound.

import type { DrainEnd, DrainFacts } from '../evidence/run.ts'
import type { Target, TenantAccess } from '../target/port.ts'
import type { Clock } from './crew.ts'

const POLL_MS = 20
const REACH_ATTEMPTS = 3
const REACH_WITHIN_MS = 500
const REACH_PAUSE_MS = 200

export interface DrainParts {
  target: Pick<Target, 'capabilities' | 'backlog' | 'reach'>
  noisy: TenantAccess
  clock: Clock
  /** The longest that a backlog is waited for. */
  boundMs: number
  /** Waited instead, where the backlog cannot be seen. */
  settleMs: number
}

type Drained = Pick<DrainFacts, 'end' | 'left' | 'tookMs' | 'why'>

type Answer = { said: 'left'; runs: number } | { said: 'nothing'; why: string }

/** Whether any of a few quick attempts is answered at all. @returns why not; null when one was */
export async function unreached(target: Pick<Target, 'reach'>, clock: Clock): Promise<string | null> {
  if (!target.reach) return null
  let why = ''
  for (let attempt = 1; attempt <= REACH_ATTEMPTS; attempt++) {
    if (attempt > 1) await clock.wait(REACH_PAUSE_MS)
    const reached = target.reach(REACH_WITHIN_MS).then(
      () => null,
      (error: unknown) => words(error),
    )
    const answer = await orLate(reached, REACH_WITHIN_MS, clock)
    if (answer === null) return null
    why = answer === LATE ? `no answer within ${REACH_WITHIN_MS} ms` : answer
  }
  return `${REACH_ATTEMPTS} attempts failed, the last with: ${why}`
}

/** Waits until the backlog is seen to be gone. Comes back within the bound, a settling time and a few attempts to reach. */
export async function drained({ target, noisy, clock, boundMs, settleMs }: DrainParts): Promise<Drained> {
  const beganUs = clock.nowUs()
  let left: number | null = null
  const ended = (end: DrainEnd, why = ''): Drained => {
    return { end, left, tookMs: Math.round((clock.nowUs() - beganUs) / 1000), why }
  }
  if (!target.capabilities.has('backlog')) {
    await clock.wait(settleMs)
    return ended('not-offered')
  }
  const ask = (): Promise<Answer> =>
    target.backlog(noisy).then(
      (runs) => (runs === null ? { said: 'nothing', why: 'the target refused to be asked' } : { said: 'left', runs }),
      (error: unknown) => ({ said: 'nothing', why: words(error) }),
    )
  let last: Answer = { said: 'nothing', why: `no answer within ${boundMs} ms` }
  for (let asked = 1; ; asked++) {
    const leftMs = boundMs - (clock.nowUs() - beganUs) / 1000
    if (leftMs <= 0) break
    const answer = await orLate(ask(), leftMs, clock)
    if (answer === LATE) break
    last = answer
    if (asked === 1 && answer.said === 'left') left = answer.runs
    if (answer.said === 'left' && answer.runs === 0) return ended('seen')
    if (answer.said === 'nothing') {
      const gone = await unreached(target, clock)
      if (gone !== null) return ended('unreachable', gone)
    }
    await clock.wait(POLL_MS)
  }
  const gone = await unreached(target, clock)
  if (gone !== null) return ended('unreachable', gone)
  if (last.said === 'left') return ended('outlived', `${last.runs} left`)
  await clock.wait(settleMs)
  return ended('not-visible', last.why)
}

const LATE = Symbol('late')

async function orLate<T>(work: Promise<T>, withinMs: number, clock: Clock): Promise<T | typeof LATE> {
  const enough = new AbortController()
  const late = clock.wait(withinMs, enough.signal).then((): typeof LATE => LATE)
  try {
    return await Promise.race([work, late])
  } finally {
    enough.abort()
  }
}

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
