// What crosses between the run, the noise makers' threads and the placebo sink's thread.

import type { ScanCheck } from '../evidence/run.ts'
import type { MakerName } from '../evidence/types.ts'
import type { Call } from '../target/port.ts'
import type { Sighting } from '../tenants/canary.ts'

/** A fixed number of operations, spread evenly over a fixed time, at the target (noise) or at the sink (placebo). */
export interface NoiseOrder {
  type: 'block'
  arm: 'placebo' | 'noise'
  count: number
  lengthMs: number
  /** The block's beginning on the clock of process.hrtime, which all threads share. */
  startNs: bigint
}

/** What one maker did in one block. */
export interface NoisePlayed {
  ordered: number
  sent: number
  answered: number
  /** Among the answered. */
  refused: number
  errors: number
  /** Sent after the block's end. */
  sentLate: number
  /** From the block's beginning; 0 when nothing was sent. */
  lastSentUs: number
  cpuUs: number
}

export interface NoiseDone extends NoisePlayed {
  type: 'done'
  /** Canaries in what the target answered, the noisy tenant's own among them. Empty for placebo: that was our sink. */
  canaries: Sighting[]
}

/** What the target mostly answered: the placebo sink answers the same, so that both arms cost the maker alike. */
export interface ModalAnswer {
  status: number
  headers: Array<[string, string]>
  body: Uint8Array
  /** Median time from sending to this answer, milliseconds. */
  serviceMs: number
}

export interface ApiNoisePlan {
  kind: 'api'
  maker: MakerName
  connections: number
  /** How often at most an operation that was refused or failed is sent again at once, out of the block's count. */
  retries: number
  target: { origin: string; call: Call }
  /** Another body, and the share of the operations that carry it: 0..1. */
  other?: { body: string; share: number }
  sinkOrigin: string
  canaryKey: string
}

export interface StreamNoisePlan {
  kind: 'stream'
  maker: MakerName
  target: { redisUrl: string; key: string; fields: Record<string, string> }
  sinkRedisUrl: string
}

/** `scan`: absent where nothing that comes back is scanned. */
export type FromNoise = { type: 'ready'; scan?: ScanCheck } | NoiseDone | { type: 'modal'; answer: ModalAnswer | null }

export type ToNoise = NoiseOrder | { type: 'modal' } | { type: 'stop' }

/** Requests and entries that the sink received, by maker, since it was asked before. */
export type SinkSeen = Partial<Record<MakerName, number>>

export type FromSink =
  | { type: 'ready'; origins: Partial<Record<MakerName, string>>; redisUrl: string }
  | { type: 'seen'; seen: SinkSeen }

export type ToSink =
  | { type: 'answer'; maker: MakerName; answer: ModalAnswer; delayMs: number }
  | { type: 'seen' }
  | { type: 'stop' }
