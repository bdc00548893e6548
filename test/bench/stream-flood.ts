// The stream flood's writer beside `redis-benchmark -P 16`: the same XADD on the same private Redis, one thread each, in
// alternating rounds with an empty stream each time. Without redis-benchmark there is no peer, which is said.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { playBlock } from '../../harness/load/noise-block.ts'
import { XaddWriter } from '../../harness/load/xadd-writer.ts'
import { onPath, openGuard } from '../../harness/stack/guard.ts'
import { startPrivateRedis } from '../../harness/stack/redis.ts'
import { type Bench, figure } from './figures.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 7)
const ENTRIES = 300_000
/** So short that everything is allowed at the first tick: as fast as it goes. */
const AT_ONCE_MS = 1e-6
const KEY = 'tenant:{noisy}:workflow:events'
const fields = { v: '1', tenant: 'noisy', workflow: 'work', input: '{"canary":"pwcanary0400000012345678"}' }

async function ours(redisUrl: string): Promise<number> {
  const writer = new XaddWriter({ redisUrl, key: KEY, fields })
  const order = { type: 'block', arm: 'noise', count: ENTRIES, lengthMs: AT_ONCE_MS } as const
  const bounds = { overrunMs: 60_000, answerWithinMs: 10_000 }
  const from = process.hrtime.bigint()
  const { answered } = await playBlock(writer, { ...order, startNs: from }, new AbortController().signal, bounds)
  const seconds = Number(process.hrtime.bigint() - from) / 1e9
  writer.stop()
  if (answered !== ENTRIES) throw new Error(`${answered} of ${ENTRIES} entries were answered`)
  return answered / seconds
}

async function peers(program: string, redisUrl: string): Promise<number> {
  const { hostname, port } = new URL(redisUrl)
  const xadd = ['XADD', KEY, '*', ...Object.entries(fields).flat()]
  const args = ['-h', hostname, '-p', port, '-n', String(ENTRIES), '-P', '16', '--csv', ...xadd]
  const { stdout } = await promisify(execFile)(program, args)
  // The last line is "name","requests a second",…; the name holds the command with its own quotes.
  const perSecond = /","(\d+(?:\.\d+)?)"/.exec(stdout.trim().split('\n').at(-1) ?? '')?.[1]
  if (perSecond === undefined) throw new Error(`redis-benchmark said nothing that is understood: ${stdout}`)
  return Number(perSecond)
}

export const streamFloodBench: Bench = {
  name: 'stream-flood',
  what: 'entries a second of the stream flood from one thread, beside redis-benchmark -P 16',
  async run(say) {
    const guard = await openGuard()
    try {
      const { url, version } = await startPrivateRedis(guard)
      const program = onPath('redis-benchmark')
      say(`${version}; ${ENTRIES} entries a round, ${ROUNDS} rounds; redis-benchmark: ${program ?? 'not installed'}`)
      const redis = new Redis(url)
      const [own, peer]: [number[], number[]] = [[], []]
      const one = async (rates: number[], write: () => Promise<number>) => {
        rates.push(await write())
        const length = await redis.xlen(KEY)
        if (length !== ENTRIES) throw new Error(`the stream holds ${length} entries after ${ENTRIES}`)
        await redis.del(KEY)
      }
      // A first round of each, which is not counted, so that both meet a Redis that has grown.
      for (let round = 0; round <= ROUNDS; round++) {
        const kept = round > 0
        await one(kept ? own : [], () => ours(url))
        if (program) await one(kept ? peer : [], () => peers(program, url))
        const told = (rates: number[]) => (rates.length === 0 ? 'not installed' : Math.round(rates.at(-1) ?? 0))
        if (kept) say(`round ${round}: ${told(own)} | ${told(peer)}`)
      }
      redis.disconnect()
      return [figure('XADD', 'entries/s', own, peer)]
    } finally {
      await guard.close()
    }
  },
}
