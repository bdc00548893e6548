// What a run sends at most, and for how long: known before anything is started, from the scenario alone. Pure.

import { connectionsFor } from '../load/client.ts'
import { peakPerSecond } from '../load/shapes.ts'
import type { Scenario } from '../scenario/schema.ts'
import { DRAIN_BLOCKS } from './blocks.ts'
import { TRY_OUT_MS } from './noise-crew.ts'
import { OPERATION_TIMEOUT_MS, pairMs, plannedPairs } from './options.ts'
import { EVERY_MS } from './prober.ts'
import { beforePairsMs } from './progress.ts'
import { plans } from './stand.ts'

/** A question of the probes is up to so many requests: a run, an id of nobody before and after it, the run again. */
const REQUESTS_A_QUESTION = 4
const PROBE_REQUESTS_PER_SECOND = (1000 / EVERY_MS) * REQUESTS_A_QUESTION

export interface Bounds {
  what: 'quiet starts' | 'noise requests' | 'noise entries' | 'probe requests'
  /** At the target, over the whole run. */
  atMost: number
  perSecond: number
  /** Connections at most; null where it is one. */
  connections: number | null
}

export interface RunPlan {
  scenario: string
  question: string
  target: string
  quietTenants: number
  pairs: number
  /** Seconds that the run is expected to take when it is not decided earlier, and that it takes at most. */
  expectedS: number
  atMostS: number
  sends: Bounds[]
}

export function planOf(scenario: Scenario, target: string, budgetS?: number): RunPlan {
  const { blocks, noise } = scenario
  const { loads } = plans(scenario, '')
  const pairs = plannedPairs(scenario, budgetS)
  const lengthS = blocks.lengthMs / 1000
  const beforeS = beforePairsMs('start', blocks) / 1000
  const atMostS = Math.ceil(beforeS + pairs * (2 + DRAIN_BLOCKS) * lengthS)
  const noiseS = pairs * lengthS + TRY_OUT_MS / 1000
  const quietPerSecond = loads.reduce((sum, load) => sum + peakPerSecond(load), 0)
  const connections = loads.reduce(
    (sum, load) => sum + connectionsFor(peakPerSecond(load), OPERATION_TIMEOUT_MS, loads.length),
    0,
  )
  const sends: Bounds[] = [
    { what: 'quiet starts', atMost: Math.ceil(quietPerSecond * atMostS), perSecond: quietPerSecond, connections },
  ]
  const { api, slow, payload, retry, stream } = noise
  const makers = [api, slow, payload].flatMap((maker) => (maker ? [{ ...maker, times: 1 }] : []))
  const all = [...makers, ...(retry ? [{ ...retry, times: 1 + retry.retries }] : [])]
  if (all.length > 0) {
    const perSecond = all.reduce((sum, { requestsPerSecond, times }) => sum + requestsPerSecond * times, 0)
    const open = all.reduce((sum, maker) => sum + maker.connections, 0)
    sends.push({ what: 'noise requests', atMost: Math.ceil(perSecond * noiseS), perSecond, connections: open })
  }
  if (stream?.entriesPerSecond) {
    const perSecond = stream.entriesPerSecond
    sends.push({ what: 'noise entries', atMost: Math.ceil(perSecond * noiseS), perSecond, connections: null })
  }
  const probedS = 2 * pairs * lengthS + blocks.silence * lengthS
  const perSecond = PROBE_REQUESTS_PER_SECOND
  sends.push({ what: 'probe requests', atMost: Math.ceil(perSecond * probedS), perSecond, connections: null })
  const expectedS = Math.ceil(beforeS + (pairs * pairMs(blocks)) / 1000)
  const { scenario: name, question } = scenario
  return { scenario: name, question, target, quietTenants: loads.length, pairs, expectedS, atMostS, sends }
}

const count = (n: number) => n.toLocaleString('en')

/** For people: one line for each thing that is sent. */
export function planWords({ quietTenants, pairs, expectedS, atMostS, sends }: RunPlan): string[] {
  return [
    `${quietTenants} quiet tenants and a noisy one, up to ${pairs} pairs of blocks, about ${expectedS} s and at most ${atMostS} s`,
    ...sends.map(({ what, atMost, perSecond, connections }) => {
      const open = connections === null ? '' : ` on up to ${count(connections)} connections`
      return `up to ${count(atMost)} ${what}, ${count(perSecond)}/s${open}`
    }),
  ]
}
