// hey: no open model; each of 10 workers sends when it was answered, at most so often a second. Reads its CSV, a line for
// each request that was answered.

import { CONNECTIONS, isOnPath, output, type Peer, reportOf } from './peer.ts'

export const hey: Peer = {
  name: 'hey',
  how: `-q for each of ${CONNECTIONS} workers`,
  loop: 'paced',
  isHere: () => isOnPath('hey', '-h'),
  async report({ url, ratePerSecond, seconds, timeoutSeconds }) {
    const args = ['-z', `${seconds}s`, '-c', CONNECTIONS, '-q', ratePerSecond / CONNECTIONS, '-t', timeoutSeconds]
    const [head, ...lines] = (await output('hey', [...args.map(String), '-o', 'csv', url])).trim().split('\n')
    if (!head?.startsWith('response-time,')) throw new Error(`hey: its CSV begins with ${head}, not with response-time`)
    const timesMs = lines.map((line) => Number(line.split(',')[0]) * 1000)
    return reportOf(timesMs, `${ratePerSecond * seconds - timesMs.length} fewer than asked for`)
  },
}
