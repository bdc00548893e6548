// Threads and the control process, when they fail: the run hears of it. Real ones, of one line each.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { failures, startControl } from '../../harness/run/threads.ts'

const thread = (source: string) => new Worker(source, { eval: true })

test('a thread that throws is told with what it threw', async () => {
  const failed = failures(thread("throw new Error('no more arrivals')"), 'generator')
  await expect(failed).rejects.toThrow('the generator thread failed: no more arrivals')
})

test('a thread that ends without an error is told too', async () => {
  await expect(failures(thread('process.exit(3)'), 'generator')).rejects.toThrow(
    '[thread-ended] the generator thread ended in mid-run: exit code 3',
  )
})

const control = (source: string) => {
  const child = spawn(process.execPath, ['-e', source], { stdio: ['pipe', 'pipe', 'ignore'] })
  return { child, control: startControl({ spawn: () => child }) }
}
const LONG_MS = 20_000

test('a control process that is gone answers null at once, before and after', async () => {
  const { child, control: meter } = control('process.stdin.once("data", () => process.exit())')
  expect(await meter.take(LONG_MS)).toBeNull()
  if (child.exitCode === null) await once(child, 'exit')
  expect(await meter.take(LONG_MS)).toBeNull()
})

test('a control process that keeps silent is waited for no longer than told', async () => {
  const { child, control: meter } = control('setInterval(() => {}, 1000)')
  expect(await meter.take(20)).toBeNull()
  child.kill('SIGKILL')
})

test('an answer that comes too late is not taken for that to the next question', async () => {
  const answers = 'let n = 0; process.stdin.on("data", (d) => { for (const _ of String(d)) says.push(++n) });'
  const source = `const says = []; ${answers} setInterval(() => { for (const samples of says.splice(0)) console.log(JSON.stringify({ samples })) }, 300)`
  const { child, control: meter } = control(source)
  expect(await meter.take(1)).toBeNull()
  expect(await meter.take(LONG_MS)).toEqual({ samples: 2 })
  child.kill('SIGKILL')
})
