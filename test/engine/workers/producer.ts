// A process that writes straight into one tenant's stream, as its event source would: so many entries for each line that it
// is told, into the stream that the line names, every tenth of them malformed, in one of five ways after the other. Says a line when it is ready and one whenever
// it has written. Refuses to read anything.

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { connect } from '../../../engine/redis.ts'

const { STAGE_URL = '', ENTRIES = '0', TOO_LARGE = '0' } = process.env
const A_WRITE = 200
/** 20,000 entries a second: what a flood does to its neighbours is asked, not what a full core of a shared machine does. */
const EVERY_MS = 10
const MALFORMED_EVERY = 10

const well = ['v', '1', 'workflow', 'w', 'input', '{"n":1}']
const MALFORMED = [
  ['v', '1', 'workflow', 'w', 'input', '{"n":'],
  ['v', '1', 'input', '1'],
  ['v', '1', 'workflow', 'nowhere', 'input', '1'],
  ['v', '1', 'workflow', 'w', 'input', JSON.stringify('x'.repeat(Number(TOO_LARGE)))],
  ['v', '1', 'workflow', 'w', 'input', '1', 'tenant', 'somebody-else'],
]

const redis = await connect(STAGE_URL, 'commands', pino({ level: 'silent' }))
async function write(stream: string, entries: number): Promise<void> {
  const from = performance.now()
  let malformed = 0
  for (let written = 0; written < entries; written += A_WRITE) {
    await sleep(Math.max(0, from + (written / A_WRITE) * EVERY_MS - performance.now()))
    const pipeline = redis.pipeline()
    for (let i = 0; i < A_WRITE; i++) {
      const bad = i % MALFORMED_EVERY === 0
      pipeline.xadd(stream, '*', ...((bad ? MALFORMED[malformed++ % MALFORMED.length] : undefined) ?? well))
    }
    await pipeline.exec()
  }
}

process.stdout.write('ready\n')
for await (const stream of createInterface(process.stdin)) {
  await write(stream, Number(ENTRIES))
  process.stdout.write('written\n')
}
redis.disconnect()
