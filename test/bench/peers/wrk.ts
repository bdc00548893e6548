// wrk: a closed loop that knows no rate: each of 10 connections sends when it was answered. Reads what wrk.lua prints.

import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CONNECTIONS, isOnPath, output, type Peer } from './peer.ts'

const answer = z.object({ n: z.number(), us: z.array(z.number()).length(4), timeouts: z.number() })

export const wrk: Peer = {
  name: 'wrk',
  how: `closed loop, ${CONNECTIONS} connections`,
  loop: 'closed',
  isHere: () => isOnPath('wrk', '--version'),
  async report({ url, seconds, timeoutSeconds }) {
    const script = fileURLToPath(new URL('./wrk.lua', import.meta.url))
    const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', `${timeoutSeconds}s`, '-s', script, url]
    const json = (await output('wrk', args)).split('\n').find((line) => line.startsWith('{'))
    const { n, us, timeouts } = answer.parse(JSON.parse(json ?? 'null'))
    return { n, ms: us.map((value) => value / 1000), note: `${timeouts} timeouts` }
  },
}
