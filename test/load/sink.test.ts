// The placebo sink, as a thread: it answers each maker as it was taught, and says what it received.

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type SinkThread, startSink } from '../../harness/run/threads.ts'
import { apiNoise, httpTarget, later, play, tidy } from './targets.ts'

afterEach(tidy)

async function sinkOf(...makers: Parameters<typeof startSink>[0]): Promise<SinkThread> {
  const sink = await startSink(makers)
  later(() => sink.stop())
  return sink
}

const headers: Array<[string, string]> = [['content-type', 'application/problem+json']]

describe('the sink', () => {
  test('answers each maker with what it was taught for it', async () => {
    const sink = await sinkOf('api', 'payload')
    sink.answerLike('payload', { status: 413, headers, body: Buffer.from('too large'), serviceMs: 0 }, 0)
    const ask = async (maker: 'api' | 'payload') => {
      const answer = await fetch(sink.origins[maker] ?? '', { method: 'POST', body: '{}' })
      return [answer.status, answer.headers.get('content-type'), await answer.text()]
    }
    expect(await ask('payload')).toEqual([413, 'application/problem+json', 'too large'])
    expect(await ask('api')).toEqual([429, 'application/json', '{}'])
    expect(await sink.seen()).toEqual({ api: 1, payload: 1 })
    expect(await sink.seen()).toEqual({})
  })

  test('takes as long as it was taught to', async () => {
    const sink = await sinkOf('slow')
    sink.answerLike('slow', { status: 202, headers, body: Buffer.from('{}'), serviceMs: 80 }, 80)
    const noise = await apiNoise(sink.origins.slow ?? '', { maker: 'slow' })
    const told = await play(noise, 10, 200)
    expect(told).toMatchObject({ sent: 10, answered: 10, refused: 0, errors: 0 })
    expect((await noise.modal())?.serviceMs).toBeGreaterThanOrEqual(79)
  })

  test('has seen all that the noise maker sent, and answers it in the same bytes as the target', async () => {
    const sink = await sinkOf('api')
    const body = Buffer.from([...Buffer.from('{"code":"rate-limited"'), 0xff, 0x00])
    const origin = await httpTarget((request, response) => {
      request.resume()
      response.writeHead(429, { 'retry-after': '7', 'content-type': 'application/problem+json' }).end(body)
    })
    const noise = await apiNoise(origin, {}, sink.origins.api)
    await play(noise, 50, 200)
    const answer = await noise.modal()
    expect(answer).toMatchObject({ status: 429, headers: expect.arrayContaining([['retry-after', '7']]) })
    expect(Buffer.from(answer?.body ?? [])).toEqual(body)
    if (answer) sink.answerLike('api', answer, 0)
    const told = await play(noise, 300, 300, 'placebo')
    expect(told).toMatchObject({ sent: 300, answered: 300, refused: 300, errors: 0, canaries: [] })
    expect(await sink.seen()).toEqual({ api: told.sent })
    const again = await fetch(sink.origins.api ?? '', { method: 'POST', body: '{}' })
    expect(Buffer.from(await again.arrayBuffer())).toEqual(body)
    expect([again.status, again.headers.get('retry-after')]).toEqual([429, '7'])
  })

  test('hangs up after each answer where the target does', async () => {
    const sink = await sinkOf('api')
    sink.answerLike('api', { status: 200, headers: [['Connection', 'close']], body: Buffer.from(''), serviceMs: 0 }, 0)
    const noise = await apiNoise(sink.origins.api ?? '', { connections: 20 })
    expect(await play(noise, 100, 500)).toMatchObject({ sent: 100, answered: 100, errors: 0 })
    expect(await sink.seen()).toEqual({ api: 100 })
  })

  test('has an entry id for each XADD, and counts them alone', async () => {
    const sink = await sinkOf('api')
    const socket = connect(Number(new URL(sink.redisUrl).port), '127.0.0.1')
    const xadd = '*5\r\n$4\r\nXADD\r\n$1\r\nk\r\n$1\r\n*\r\n$1\r\nf\r\n$1\r\nv\r\n'
    socket.write(`*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n${xadd}${xadd}`)
    const [reply] = await once(socket, 'data')
    expect(String(reply)).toBe('+OK\r\n$15\r\n1700000000000-0\r\n$15\r\n1700000000000-0\r\n')
    socket.destroy()
    expect(await sink.seen()).toEqual({ stream: 2 })
  })
})
