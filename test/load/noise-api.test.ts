// The flood over the API, as a thread, at real sockets: what it sends, and that no behaviour of a target makes it hang,
// throw, spin, or count wrongly.

import { afterEach, describe, expect, test } from 'vitest'
import { Canaries } from '../../harness/tenants/canary.ts'
import { apiNoise, httpTarget, KEY, play, rawTarget, tidy } from './targets.ts'

afterEach(tidy)
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'

describe('the flood', () => {
  test('sends exactly its count, over all of its connections and no more, and counts what was refused', async () => {
    const byPort = new Map<number, number>()
    let seen = 0
    const origin = await httpTarget((request, response) => {
      const port = request.socket.remotePort ?? 0
      byPort.set(port, (byPort.get(port) ?? 0) + 1)
      request.resume()
      response.writeHead(seen++ % 4 === 0 ? 202 : 429).end('{}')
    })
    const noise = await apiNoise(origin, { connections: 20 })
    const told = await play(noise, 400, 800)
    expect(told).toMatchObject({ ordered: 400, sent: 400, answered: 400, refused: 300, errors: 0 })
    expect(seen).toBe(400)
    expect(byPort.size).toBe(20)
    for (const count of byPort.values()) expect(count).toBeGreaterThan(5)
    expect(told.lastSentUs).toBeGreaterThan(780_000)
  })

  test('sends other bodies in their share, evenly', async () => {
    const lengths: number[] = []
    const origin = await httpTarget((request, response) => {
      lengths.push(Number(request.headers['content-length']))
      request.resume()
      request.once('end', () => response.writeHead(202).end())
    })
    const noise = await apiNoise(origin, { body: 'a'.repeat(1000), other: { body: 'b'.repeat(3000), share: 0.25 } })
    for (let round = 0; round < 2; round++) await play(noise, 40, 400)
    expect(lengths.filter((length) => length === 3000)).toHaveLength(20)
    expect(lengths.filter((length) => length === 1000)).toHaveLength(60)
    expect(lengths.slice(0, 8).filter((length) => length === 3000).length).toBeLessThanOrEqual(3)
  })
})

describe('a retry storm', () => {
  async function storm(status: number, retries: number) {
    const atMs: number[] = []
    const origin = await httpTarget((request, response) => {
      atMs.push(performance.now())
      request.resume()
      response.writeHead(status, { 'retry-after': '1' }).end()
    })
    const told = await play(await apiNoise(origin, { retries }), 8, 1000)
    const gaps = atMs.slice(1).map((at, i) => at - (atMs[i] ?? 0))
    return { told, largestAfter: gaps.indexOf(Math.max(...gaps)) + 1, gaps }
  }

  test('sends what is refused again at once, and all of it out of the fixed count', async () => {
    const { told, largestAfter } = await storm(429, 3)
    expect(told).toMatchObject({ ordered: 8, sent: 8, answered: 8, refused: 8, errors: 0 })
    // One and its three again; four more when the block's time has caught up with them.
    expect(largestAfter).toBe(4)
    expect(told.lastSentUs).toBeLessThan(800_000)
  })

  test('sends what was accepted once', async () => {
    const { told } = await storm(202, 3)
    expect(told).toMatchObject({ sent: 8, answered: 8, refused: 0 })
    expect(told.lastSentUs).toBeGreaterThan(870_000)
  })

  test('sends what was lost again too, and never more than its count', async () => {
    let asked = 0
    const origin = await rawTarget((socket) => {
      socket.once('data', () => {
        asked++
        socket.end()
      })
    })
    const told = await play(await apiNoise(origin, { retries: 5, connections: 40 }), 30, 600)
    expect(told).toMatchObject({ sent: 30, answered: 0, errors: 30 })
    expect(asked).toBe(30)
  })
})

describe('a target that', () => {
  test('hangs up on every connection is not met with a hot loop of connects', async () => {
    let connects = 0
    const origin = await rawTarget((socket) => {
      connects++
      socket.end()
    })
    const told = await play(await apiNoise(origin), 1000, 1000)
    expect(told.answered).toBe(0)
    expect(told.errors).toBe(told.sent)
    // 10 connections of each arm, after 20, 40, 80 … ms: 8 times each in two seconds.
    expect(connects).toBeGreaterThan(40)
    expect(connects).toBeLessThan(200)
  })

  test('is not there at all ends the block with nothing sent', async () => {
    const origin = await httpTarget(() => {})
    await tidy()
    const told = await play(await apiNoise(origin), 100, 300)
    expect(told).toMatchObject({ ordered: 100, sent: 0, answered: 0, errors: 0 })
  })

  test('hangs up with a request under way has lost it, once', async () => {
    let asked = 0
    const origin = await rawTarget((socket) => {
      socket.once('data', () => {
        asked++
        socket.end()
      })
    })
    const told = await play(await apiNoise(origin, { connections: 50 }), 40, 500)
    expect(told).toMatchObject({ sent: 40, answered: 0, errors: 40 })
    expect(asked).toBe(40)
  })

  test('answers idle connections unasked costs those connections, and nothing else', async () => {
    let connects = 0
    let asked = 0
    const origin = await rawTarget((socket) => {
      if (connects++ < 40) socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
      else
        socket.on('data', () => {
          asked++
          socket.write(OK)
        })
    })
    const sink = await rawTarget(() => {})
    const noise = await apiNoise(origin, { connections: 20 }, sink)
    // Whatever is lost on the way to that, the block after it is whole.
    await play(noise, 50, 500)
    asked = 0
    expect(await play(noise, 60, 500)).toMatchObject({ sent: 60, answered: 60, errors: 0 })
    expect([connects, asked]).toEqual([60, 60])
  })

  test('answers twice, or in no HTTP at all, has answered what it answered', async () => {
    const says = [OK, OK + OK, 'no HTTP\r\n\r\n']
    let asked = 0
    const origin = await rawTarget((socket) => {
      socket.on('data', () => socket.write(says[asked++ % 3] ?? ''))
    })
    const told = await play(await apiNoise(origin, { connections: 30 }), 60, 900)
    expect(told).toMatchObject({ sent: 60, answered: 40, errors: 20 })
    expect(asked).toBe(60)
  })

  test('hangs up after each answer, by its length or by hanging up, is asked anew each time', async () => {
    for (const head of ['content-length: 2\r\nconnection: close\r\n', '']) {
      const origin = await rawTarget((socket) => {
        socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n{}`))
      })
      const told = await play(await apiNoise(origin, { connections: 20 }), 100, 400)
      expect(told).toMatchObject({ sent: 100, answered: 100, errors: 0 })
    }
  })
})

describe('the answers to the noisy tenant', () => {
  const canaries = new Canaries(KEY)
  const foreign = canaries.mintFor(3).mint()

  async function seenIn(answer: string, parts: string[] = []) {
    const origin = await rawTarget((socket) => {
      socket.on('data', () => {
        socket.write(answer)
        // Each part in a packet of its own.
        parts.forEach((part, i) => {
          setTimeout(() => (i === parts.length - 1 ? socket.end(part) : socket.write(part)), 20 * (i + 1))
        })
      })
    })
    return await play(await apiNoise(origin, { connections: 1 }), 1, 100)
  }

  test('are scanned in the values of their headers', async () => {
    const told = await seenIn(`HTTP/1.1 200 OK\r\nx-request: ${foreign}\r\ncontent-length: 0\r\n\r\n`)
    expect(told.canaries).toEqual([{ owner: 3, digest: canaries.read(foreign)?.digest, encoding: 'plain' }])
  })

  test('are scanned across the pieces of a body', async () => {
    const [one, two] = [foreign.slice(0, 11), foreign.slice(11)]
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
    const told = await seenIn(head, [chunk(`x${one}`), chunk(`${two}y`), '0\r\n\r\n'])
    expect(told).toMatchObject({ answered: 1, errors: 0 })
    expect(told.canaries.map(({ owner }) => owner)).toEqual([3])
  })

  test('are scanned where the target hung up in the middle', async () => {
    const told = await seenIn('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', [foreign, 'and'])
    expect(told).toMatchObject({ answered: 0, errors: 1 })
    expect(told.canaries.map(({ owner }) => owner)).toEqual([3])
  })
})
