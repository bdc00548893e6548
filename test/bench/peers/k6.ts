// k6 with a constant arrival rate and 10 users: an arrival for which no user is free is dropped, and counted as that.

import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CONNECTIONS, isOnPath, output, type Peer } from './peer.ts'

const answer = z.object({ n: z.number(), ms: z.array(z.number()).length(4), dropped: z.number() })

export const k6: Peer = {
  name: 'k6',
  how: `constant arrival rate, ${CONNECTIONS} users`,
  loop: 'paced',
  isHere: () => isOnPath('k6', 'version'),
  async report({ url, ratePerSecond, seconds, timeoutSeconds }) {
    const script = fileURLToPath(new URL('./k6-arrivals.js', import.meta.url))
    const given = {
      URL: url,
      RATE: ratePerSecond,
      SECONDS: seconds,
      USERS: CONNECTIONS,
      TIMEOUT_SECONDS: timeoutSeconds,
    }
    const env = Object.entries(given).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    // Port 0: several of them run at the same time, and its own API would take a fixed one.
    const args = ['run', '--quiet', '--no-usage-report', '--address', '127.0.0.1:0', ...env, script]
    const json = (await output('k6', args)).split('\n').find((line) => line.startsWith('{"n"'))
    const { n, ms, dropped } = answer.parse(JSON.parse(json ?? 'null'))
    return { n, ms, note: `${dropped} dropped` }
  },
}
