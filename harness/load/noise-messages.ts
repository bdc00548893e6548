// What crosses between the run, the noise makers' threads and the placebo sink's thread.

import type { Call } from '../target/port.ts'
import type { Sighting } from '../tenants/canary.ts'

/** A fixed number of operations, spread evenly over a fixed time, at the target (noise) or at the sink (placebo). */
export interface NoiseOrder {
  type: 'block'
  arm: 'placebo' | 'noise'
  count: number
  lengthMs: number
}

export interface NoiseDone {
  type: 'done'
  sent: number
  answered: number
  refused: number
  errors: number
  cpuUs: number
  /** Canaries in what the target answered, the noisy tenant's own among them. Empty for placebo: that was our sink. */
  canaries: Sighting[]
}

/** What the target mostly answered in a block: the placebo sink answers the same, so that both arms cost the maker alike. */
export interface ModalAnswer {
  status: number
  headers: Array<[string, string]>
  body: string
}

export interface ApiNoisePlan {
  kind: 'api'
  connections: number
  target: { origin: string; call: Call }
  sinkOrigin: string
  canaryKey: string
}

export interface StreamNoisePlan {
  kind: 'stream'
  target: { redisUrl: string; key: string; fields: Record<string, string> }
  sinkRedisUrl: string
}

export type FromNoise =
  | { type: 'ready' }
  | NoiseDone
  | { type: 'modal'; answer: ModalAnswer | null }
  | { type: 'problem'; what: string }

export type ToNoise = NoiseOrder | { type: 'modal' } | { type: 'stop' }
