// What can be asked of one tenant's queue without knowing whose turn it is: start, cancel, dead letters, suspend, drop,
// counts. Refuses to choose between tenants; the scheduler's half does that.

import { hash } from 'node:crypto'
import { z } from 'zod'
import { pairsIn } from '../redis.ts'
import type { TenantId } from '../tenant.ts'
import { isEntryId } from '../workflow.ts'
import { schedulerKeys, tenantKey, tenantKeys, voidChannel } from './keys.ts'
import type { Meter } from './meter.ts'
import { parseMeter } from './meter-reply.ts'
import type { Admission, Cancellation, DeadLetter, Depth, Dropped, QueueParts, Redrive, Refusal } from './queue.ts'

const startReply = z.tuple([z.string(), z.union([z.string(), z.number()]), z.number()])
const cancelReply = z.tuple([z.string()]).rest(z.union([z.string(), z.number()]))
const dropReply = z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()])

type StartReply = z.infer<typeof startReply>

function refusalOf([code, detail]: StartReply): Refusal {
  if (code === 'rate-limited' || code === 'queue-full') return { state: 'refused', code, retryAfterMs: Number(detail) }
  if (code === 'suspended') return { state: 'suspended' }
  if (code === 'payload-too-large') return { state: 'too-large', bytesMax: Number(detail) }
  if (code === 'tenant-unknown' || code === 'workflow-unknown') return { state: 'unknown', code }
  throw new Error(`a start was answered with ${code}`)
}

/** Of a page of dead letters, so that no question makes a process hold more; one letter alone may have up to 1 MiB. */
const PAGE_BYTES_MAX = 4 << 20
/** What is read beyond a page is at most these. */
const LETTERS_A_READ = 4

/** Before the name of what a writer added; see functions/records.lua. */
const WRITERS = 'field:'

function letterOf(id: string, flat: readonly string[]): DeadLetter {
  const pairs = pairsIn(flat)
  const fields = new Map(pairs)
  const field = (name: string) => fields.get(name) ?? ''
  return {
    id,
    entryId: field('entry'),
    reason: field('reason'),
    atMs: Number(field('at')),
    workflow: field('workflow'),
    inputText: field('input'),
    cut: field('cut') === '1',
    fields: pairs.flatMap(([name, value]) => (name.startsWith(WRITERS) ? [[name.slice(WRITERS.length), value]] : [])),
  }
}

export abstract class TenantQueue {
  protected readonly parts: QueueParts
  protected readonly keys: ReturnType<typeof schedulerKeys>

  constructor(parts: QueueParts) {
    this.parts = parts
    this.keys = schedulerKeys(parts.namespace)
  }

  abstract touch(tenant: TenantId): void
  /** Slot time beyond what the claim was charged, virtual milliseconds. */
  protected abstract charge(tenant: TenantId, owedMs: number): void
  /** The tenant is gone: nothing is to be told of it any more. */
  protected abstract forget(tenant: TenantId): void

  streamOf = (tenant: TenantId): string => tenantKey.events(tenant)

  async admit(tenant: TenantId, workflow: string, inputText: string, key = ''): Promise<Admission> {
    const { library, windowMs, passed } = this.parts
    const digest = key === '' ? '' : hash('sha256', `${workflow}\n${inputText}`, 'hex')
    const args = [tenant, workflow, inputText, windowMs, key, digest]
    const reply = startReply.parse(await library.call('admit', tenantKeys(tenant), args))
    const [code, detail, ring] = reply
    if (code === 'conflict') return { state: 'conflict' }
    if (code === 'repeated') return { state: 'admitted', entryId: String(detail), repeated: true }
    if (code !== 'ok') return refusalOf(reply)
    passed?.('after-admit')
    if (ring === 1) this.touch(tenant)
    return { state: 'admitted', entryId: String(detail), repeated: false }
  }

  async cancel(tenant: TenantId, entryId: string): Promise<Cancellation> {
    const { library, redis, namespace } = this.parts
    const reply = await library.call('cancel', tenantKeys(tenant), [tenant, entryId, tenantKey.wake(tenant)])
    const [code, detail, fence, more, owed] = cancelReply.parse(reply)
    if (code === 'unknown') return { state: 'unknown' }
    if (code === 'finished') return { state: 'finished', status: String(detail) }
    if (detail === 1) await redis.publish(voidChannel(namespace), `${tenant} ${fence}`)
    if (detail === 1) this.charge(tenant, Number(owed))
    if (more === 1) this.touch(tenant)
    return { state: 'cancelled', wasRunning: detail === 1 }
  }

  async deadLetters(tenant: TenantId, after: string | null, limit: number): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = []
    let [from, left] = [after === null ? '-' : `(${after}`, PAGE_BYTES_MAX]
    while (letters.length < limit) {
      const count = Math.min(LETTERS_A_READ, limit - letters.length)
      const entries = await this.parts.redis.xrange(tenantKey.dead(tenant), from, '+', 'COUNT', count)
      for (const [id, flat] of entries) {
        const letter = letterOf(id, flat)
        left -= Buffer.byteLength(letter.inputText) + Buffer.byteLength(letter.fields.join(''))
        if (left < 0 && letters.length > 0) return letters
        letters.push(letter)
        from = `(${id}`
      }
      if (entries.length < count) break
    }
    return letters
  }

  async redrive(tenant: TenantId, letter: string): Promise<Redrive> {
    if (!isEntryId(letter)) return { state: 'missing' }
    const args = [tenant, letter, this.parts.windowMs]
    const reply = startReply.parse(await this.parts.library.call('redrive', tenantKeys(tenant), args))
    const [code, detail, ring] = reply
    if (code === 'missing') return { state: 'missing' }
    if (code === 'unfit') return { state: 'unfit', reason: String(detail) }
    if (code !== 'ok') return refusalOf(reply)
    if (ring === 1) this.touch(tenant)
    return { state: 'admitted', entryId: String(detail) }
  }

  async suspend(tenant: TenantId): Promise<boolean> {
    return (await this.parts.library.call('suspend', tenantKeys(tenant), ['suspended'])) === 1
  }

  async resume(tenant: TenantId): Promise<boolean> {
    const found = (await this.parts.library.call('suspend', tenantKeys(tenant), ['active'])) === 1
    if (found) this.touch(tenant)
    return found
  }

  async drop(tenant: TenantId): Promise<Dropped | null> {
    const { library, redis, namespace } = this.parts
    this.forget(tenant)
    await redis.zrem(this.keys.tenants, tenant)
    const reply = await library.call('drop', tenantKeys(tenant), [])
    const [existed, keys, queued, fenced, finished, deadLetters] = dropReply.parse(reply)
    // After its keys, not before: a turn that is under way finds no tenant any more and leaves nothing behind.
    const schedulerEntries = z.number().parse(await library.call('forget', Object.values(this.keys), [tenant]))
    await redis.publish(voidChannel(namespace), `${tenant} *`)
    return existed === 1 ? { keys, queued, fenced, finished, deadLetters, schedulerEntries } : null
  }

  async meter(tenant: TenantId): Promise<Meter> {
    return parseMeter(await this.parts.library.call('meter', tenantKeys(tenant), []))
  }

  async depth(tenant: TenantId): Promise<Depth> {
    const { redis } = this.parts
    const [entries, active] = await Promise.all([
      redis.xlen(tenantKey.events(tenant)),
      redis.zcard(tenantKey.active(tenant)),
    ])
    return { queued: Math.max(0, entries - active), active }
  }

  async register(tenant: TenantId): Promise<void> {
    await this.parts.redis.zadd(this.keys.tenants, 0, tenant)
  }

  async unlinkOwn(): Promise<void> {
    await this.parts.redis.unlink(...Object.values(this.keys))
  }
}
