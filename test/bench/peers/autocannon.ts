// autocannon -R: sends a second's requests at once over 10 connections, and pads each time with an interval of 1 ms at any
// rate. Reads its JSON.

import { createRequire } from 'node:module'
import { z } from 'zod'
import { CONNECTIONS, output, type Peer } from './peer.ts'

const answer = z.object({
  latency: z.object({
    p50: z.number(),
    p90: z.number(),
    p99: z.number(),
    p99_9: z.number(),
    totalCount: z.number(),
  }),
  requests: z.object({ total: z.number() }),
  errors: z.number(),
  timeouts: z.number(),
})

export const autocannon: Peer = {
  name: 'autocannon',
  how: `-R, ${CONNECTIONS} connections`,
  loop: 'paced',
  isHere: () => true,
  async report({ url, ratePerSecond, seconds, timeoutSeconds }) {
    const tool = createRequire(import.meta.url).resolve('autocannon/autocannon.js')
    const args = [
      '-R',
      ratePerSecond,
      '-c',
      CONNECTIONS,
      '-d',
      seconds,
      '-t',
      timeoutSeconds,
      '--json',
      '--no-progress',
    ]
    const { latency, requests, errors } = answer.parse(
      JSON.parse(await output(process.execPath, [tool, ...args.map(String), url])),
    )
    const { p50, p90, p99, p99_9: p999, totalCount } = latency
    const padded = totalCount - requests.total
    return { n: requests.total, ms: [p50, p90, p99, p999], note: `${padded} padded in, ${errors} errors` }
  },
}
