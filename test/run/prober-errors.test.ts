// What the prober counts of its questions: an error of ours is none of the target's answers, and no question is lost.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { startProber } from '../../harness/run/prober.ts'
import { Canaries } from '../../harness/tenants/canary.ts'
import { scannerOf } from '../../harness/tenants/scanner.ts'
import { access } from './fake-crew.ts'

const cleaners: Array<() => unknown> = []
afterEach(() => {
  for (const clean of cleaners.splice(0)) clean()
})

const EVERY_MS = 10
const canaries = new Canaries('key of this test')
const sound = scannerOf(canaries)

async function accountOf(scanner: typeof sound) {
  const server = createServer((_, res) => res.end('{}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = address && typeof address === 'object' ? address.port : 0
  cleaners.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  const reader = { ...access('a'), origin: `http://127.0.0.1:${port}` }
  const prober = startProber([reader], [reader], { scanner, labelOf: () => 'a' }, () => 7, EVERY_MS)
  cleaners.push(() => prober.rest())
  const settled = () => {
    lines += prober.take().length
    return prober.account()
  }
  let lines = 0
  // A read and a list in turns; of no run an id is known, so that reads are skipped.
  prober.begin('noise')
  await vi.waitFor(() => expect(settled().questions.due).toBeGreaterThanOrEqual(6), { timeout: 20_000, interval: 10 })
  prober.rest()
  await vi.waitFor(() => expect(settled().questions.open).toBe(0), { timeout: 20_000, interval: 10 })
  return { ...settled(), lines }
}

test('every question is answered or was skipped, where nothing is wrong', async () => {
  const { questions, thrown, lines } = await accountOf(sound)
  expect(thrown).toEqual({ times: 0, first: '' })
  expect(questions).toEqual({
    everyMs: EVERY_MS,
    due: lines + questions.skipped,
    skipped: questions.skipped,
    thrown: 0,
    open: 0,
  })
  expect(questions.skipped).toBeGreaterThanOrEqual(3)
})

test('questions that end by an error of ours are counted, with the first words', async () => {
  const throws = () => {
    throw new TypeError('no bytes')
  }
  const { questions, thrown, lines } = await accountOf({ ...sound, body: throws })
  expect(lines).toBe(0)
  expect(thrown).toEqual({ times: questions.due - questions.skipped, first: 'TypeError: no bytes' })
  expect(questions.thrown).toBe(thrown.times)
})
