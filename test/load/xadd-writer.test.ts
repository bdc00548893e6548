// The lean writer of entries: its counting of replies, cut at every byte; a real Redis, which knows what it was given; a
// full one; and sockets that drop.

import { Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import { type Flood, playBlock } from '../../harness/load/noise-block.ts'
import { ReplyCounter } from '../../harness/load/reply-counter.ts'
import { type XaddPlan, XaddWriter } from '../../harness/load/xadd-writer.ts'
import { openGuard } from '../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../harness/stack/redis.ts'
import { later, rawTarget, tidy } from './targets.ts'

afterEach(tidy)

describe('replies are counted', () => {
  const replies = Buffer.from(
    '$15\r\n1700000000000-0\r\n-OOM command not allowed when used memory > maxmemory.\r\n$-1\r\n$0\r\n\r\n+OK\r\n:12\r\n$16\r\n1700000000000-12\r\n-ERR\r\n',
  )
  const whole = { ok: 5, errors: 3 }
  const add = (pieces: Buffer[]) => {
    const counter = new ReplyCounter()
    return pieces.reduce(
      (sum, piece) => {
        const { ok, errors } = counter.count(piece) ?? { ok: Number.NaN, errors: Number.NaN }
        return { ok: sum.ok + ok, errors: sum.errors + errors }
      },
      { ok: 0, errors: 0 },
    )
  }

  test('cut at every byte, and at every pair of bytes', () => {
    expect(add([replies])).toEqual(whole)
    const wrong: Array<[at: number, to: number]> = []
    for (let at = 0; at <= replies.length; at++) {
      for (let to = at; to <= replies.length; to++) {
        const { ok, errors } = add([replies.subarray(0, at), replies.subarray(at, to), replies.subarray(to)])
        if (ok !== whole.ok || errors !== whole.errors) wrong.push([at, to])
      }
    }
    expect(wrong).toEqual([])
    expect(add([...replies].map((byte) => Buffer.from([byte])))).toEqual(whole)
  })

  test('only once they are complete', () => {
    const counter = new ReplyCounter()
    expect(counter.count(Buffer.from('$3\r\nabc\r'))).toEqual({ ok: 0, errors: 0 })
    expect(counter.count(Buffer.from('\n-E'))).toEqual({ ok: 1, errors: 0 })
    expect(counter.count(Buffer.from('RR\r\n'))).toEqual({ ok: 0, errors: 1 })
  })

  test('and what is none is said to be none', () => {
    for (const text of ['HTTP/1.1 400 Bad Request\r\n', '*1\r\n$1\r\na\r\n', '$x\r\n']) {
      expect(new ReplyCounter().count(Buffer.from(text))).toBeNull()
    }
  })
})

/** So short that the first tick allows everything. */
const AT_ONCE_MS = 1e-6
const never = new AbortController().signal
const play = (writer: Flood, count: number, lengthMs: number) => {
  const order = { type: 'block', arm: 'noise', count, lengthMs, startNs: process.hrtime.bigint() } as const
  return playBlock(writer, order, never, { overrunMs: 1000, answerWithinMs: 500 })
}

function writerTo(redisUrl: string, more: Partial<XaddPlan> = {}): XaddWriter {
  const fields = { v: '1', tenant: 'noisy', input: '{"canary":"größer"}' }
  const writer = new XaddWriter({ redisUrl, key: 'tenant:{noisy}:workflow:events', fields, ...more })
  later(() => writer.stop())
  return writer
}

async function realRedis() {
  const guard = await openGuard()
  later(() => guard.close())
  const { url } = await startPrivateRedis(guard)
  const redis = new Redis(url, { maxRetriesPerRequest: 1 })
  redis.on('error', () => {})
  later(() => redis.disconnect())
  return { url, redis, length: () => redis.xlen('tenant:{noisy}:workflow:events') }
}

describe('on a real Redis', () => {
  test('the stream is as long as the answers say, and holds what was to be written', async () => {
    const { url, redis, length } = await realRedis()
    for (const sockets of [1, 3]) {
      const before = await length()
      const told = await play(writerTo(url, { sockets }), 2000, 500)
      expect(told).toMatchObject({ ordered: 2000, sent: 2000, answered: 2000, errors: 0 })
      expect((await length()) - before).toBe(told.answered)
      expect(told.lastSentUs).toBeGreaterThan(480_000)
    }
    const [entry] = await redis.xrange('tenant:{noisy}:workflow:events', '-', '+', 'COUNT', 1)
    expect(entry?.[1]).toEqual(['v', '1', 'tenant', 'noisy', 'input', '{"canary":"größer"}'])
  })

  test('as many as go at once stay within the window, and every one is answered', async () => {
    const { url, length } = await realRedis()
    const told = await play(writerTo(url, { windowEntries: 100 }), 20_000, AT_ONCE_MS)
    expect(told).toMatchObject({ sent: 20_000, answered: 20_000, errors: 0 })
    expect(await length()).toBe(20_000)
  })

  test('one that is full refuses, which counts as errors, and nothing is written', async () => {
    const { url, redis, length } = await realRedis()
    await redis.config('SET', 'maxmemory', '1')
    const told = await play(writerTo(url), 200, 200)
    expect(told).toMatchObject({ sent: 200, answered: 0, errors: 200 })
    await redis.config('SET', 'maxmemory', '0')
    expect(await length()).toBe(0)
  })

  test('one that wants a password and a database is given both', async () => {
    const { url, redis } = await realRedis()
    await redis.config('SET', 'requirepass', 'p@ss')
    const withPassword = url.replace('redis://', 'redis://:p%40ss@').replace(/\/?$/, '/3')
    expect(await play(writerTo(withPassword), 50, 100)).toMatchObject({ sent: 50, answered: 50, errors: 0 })
    await redis.auth('p@ss')
    await redis.select(3)
    expect(await redis.xlen('tenant:{noisy}:workflow:events')).toBe(50)
    const wrong = url.replace('redis://', 'redis://:wrong@')
    expect(await play(writerTo(wrong), 50, 100)).toMatchObject({ sent: 0, answered: 0, errors: 0 })
  })

  test('entries that were on their way on a killed connection are counted, not sent again', async () => {
    const { url, redis, length } = await realRedis()
    const playing = play(writerTo(url), 4000, 1000)
    const killing = (async () => {
      for (const at of [400, 800, 1200, 1600]) {
        while ((await length()) < at) await new Promise((resolve) => setImmediate(resolve))
        await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      }
    })()
    const [told] = await Promise.all([playing, killing])
    expect(told.sent).toBe(4000)
    expect(told.answered + told.errors).toBe(4000)
    const written = await length()
    expect(written).toBeGreaterThanOrEqual(told.answered)
    // A lost reply may have been a written entry; a resent one would make more than were sent.
    expect(written).toBeLessThanOrEqual(4000)
  })
})

describe('a server that', () => {
  const entry = '$15\r\n1700000000000-0\r\n'

  test('drops its socket has answered what it answered; the rest of what was on its way is lost', async () => {
    const origin = await rawTarget((socket) => {
      socket.once('data', () => socket.end(entry + entry.slice(0, 9)))
    })
    const writer = writerTo(origin.replace('http', 'redis'))
    const told = await play(writer, 10, AT_ONCE_MS)
    expect(told).toMatchObject({ ordered: 10, sent: 10, answered: 1, errors: 9 })
  })

  test('never answers is hung up on, and every entry is an error', async () => {
    const origin = await rawTarget((socket) => socket.resume())
    expect(await play(writerTo(origin.replace('http', 'redis')), 30, 100)).toMatchObject({
      sent: 30,
      answered: 0,
      errors: 30,
    })
  })

  test('answers more than it was asked, or no Redis at all, is not believed', async () => {
    for (const says of [`${entry}${entry}`, 'HTTP/1.1 400 Bad Request\r\n']) {
      const origin = await rawTarget((socket) => socket.on('data', () => socket.write(says)))
      const told = await play(writerTo(origin.replace('http', 'redis')), 5, 500)
      expect(told).toMatchObject({ answered: 0, errors: told.sent })
      expect(told.sent).toBeGreaterThan(0)
    }
  })
})
