// vegeta, with as many workers as it wants and with 10, in which case an arrival waits for one. It times from the moment
// of sending. Its results as CSV: timestamp, status, nanoseconds, and more.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONNECTIONS, isOnPath, output, type Peer, reportOf } from './peer.ts'

function withWorkers(name: string, how: string, bound: readonly string[]): Peer {
  return {
    name,
    how,
    loop: 'paced',
    isHere: () => isOnPath('vegeta', '-version'),
    async report({ url, ratePerSecond, seconds, timeoutSeconds }) {
      const folder = await mkdtemp(join(tmpdir(), 'partywall-bench-'))
      try {
        const [targets, results] = [join(folder, 'targets'), join(folder, 'results')]
        await writeFile(targets, `GET ${url}\n`)
        const times = [`-rate=${ratePerSecond}/s`, `-duration=${seconds}s`, `-timeout=${timeoutSeconds}s`]
        await output('vegeta', ['attack', `-targets=${targets}`, `-output=${results}`, ...times, ...bound])
        const lines = (await output('vegeta', ['encode', '-to', 'csv', results])).trim().split('\n')
        const hits = lines.map((line) => line.split(','))
        const failed = hits.filter(([, status]) => status === '0').length
        return reportOf(
          hits.map(([, , ns]) => Number(ns) / 1e6),
          `${failed} errors`,
        )
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

export const vegeta = withWorkers('vegeta', 'as many workers as it wants', [])
export const boundVegeta = withWorkers('vegeta, bound', `${CONNECTIONS} workers at most`, [
  `-workers=${CONNECTIONS}`,
  `-max-workers=${CONNECTIONS}`,
])
