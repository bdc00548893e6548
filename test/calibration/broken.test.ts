// Broken checkers, each switched on in a whole run: none ends in a pass, each names its cause with its numbers, and the same
// run with sound instruments ends as it should. The crew has no threads and a clock that jumps; the run seed is fixed.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Verdict } from '../../harness/evidence/verdict.ts'
import { judgeFlood } from '../../harness/run/assemble.ts'
import { type Instruments, sound } from '../../harness/run/instruments.ts'
import { type Play, RUN_SEED, scenario as short } from '../run/fake-crew.ts'
import { begin, tidy } from '../run/fake-run.ts'
import { type Previous, varied } from './broken/broken.ts'
import { broken } from './broken/list.ts'

afterAll(tidy)

/** As few pairs as give a pass: 62 operations of each tenant a block, and 400 are wanted. */
const scenario = { ...short, blocks: { ...short.blocks, pairs: 7, lengthMs: 1200, warmUpMs: 1500 } }
/** An unremarkable target. */
const usual: Play = { fate: varied }
const run = (play: Play = usual, instruments: Instruments = sound) => begin(play, { scenario, instruments })

let previous: Previous
let before: Verdict
beforeAll(async () => {
  const { running, out } = run()
  before = (await running).verdict
  previous = { verdict: before, text: (name) => readFileSync(join(out, name), 'utf8') }
})

describe(`with sound instruments, run seed ${RUN_SEED}`, () => {
  test('a run passes, and every self-check held', () => {
    expect(before.preconditions.filter(({ held }) => !held)).toEqual([])
    expect(before.reasons.filter((why) => why.includes('not stood by'))).toEqual([])
    expect(before.findings.map(({ finding }) => finding)).toEqual(['held', 'held'])
    expect(before.outcome).toBe('pass')
  })

  test.each([...new Map(broken.flatMap((one) => (one.play ? [[one.play, one]] : []))).values()])(
    'the run beside $id, $what, comes to its own end',
    async ({ play, twin = 'pass' }) => {
      const { verdict } = await run(play).running
      expect(verdict.preconditions.filter(({ held }) => !held)).toEqual([])
      expect(verdict.outcome).toBe(twin)
    },
  )
})

describe(`broken checkers, run seed ${RUN_SEED}`, () => {
  test('what their runs say is said again when their folders are judged', async () => {
    for (const id of ['H1', 'H3', 'H8'] as const) {
      const [first] = broken.filter((one) => one.id === id)
      const { running, out } = run(first?.play, first?.instruments(previous))
      const { verdict } = await running
      expect(judgeFlood(out).verdict).toEqual(verdict)
    }
  })

  test('there is one for each of H1 to H11', () => {
    const ids = [...new Set(broken.map(({ id }) => id))]
    expect(ids).toEqual(Array.from({ length: 11 }, (_, i) => `H${i + 1}`))
  })

  test.each(broken)('$id, $what: no pass, and its cause is named', async ({ play, instruments, says }) => {
    const { verdict } = await run(play, instruments(previous)).running
    const reasons = verdict.reasons.join('\n')
    if (typeof says === 'string') expect(reasons).toContain(says)
    else expect(reasons).toMatch(says)
    expect(verdict.outcome).toBe('inconclusive')
  })
})
