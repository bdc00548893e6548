// Foreign targets that end in mid-run: nobody tells us of it, and the verdict has to say it all the same.

import { afterEach, expect, test } from 'vitest'
import { beginForeign, tidyForeign } from './foreign.ts'
import { saved } from './partywall.ts'

afterEach(tidyForeign)
const LIMIT_MS = 60_000

test.each([
  ['is killed', 'SIGKILL', /it does not answer any more|0 of \d+ quiet operations ended well/],
  [
    'takes connections and answers nothing any more',
    'SIGSTOP',
    /no answer within|0 of \d+ quiet operations ended well/,
  ],
] as const)(
  'a foreign target that %s in mid-run is a fail with the reason, and the evidence is kept',
  async (_, signal, reason) => {
    const { server, out, ended, said } = await beginForeign('fair')
    await said('pair 1/6')
    server.kill(signal)
    const { code, stderr } = await ended
    expect(stderr).toMatch(/the target died: /)
    expect(code).toBe(1)
    const { evidence, verdict, files } = saved(out)
    expect(evidence.targetDied).toMatch(reason)
    expect(verdict.outcome).toBe('fail')
    expect(evidence.blocks.filter(({ pair }) => pair === 1)).toHaveLength(2)
    expect(files).toEqual(['evidence.json', 'histograms.hlog', 'journal.ndjson', 'summary.md', 'verdict.json'])
  },
  LIMIT_MS,
)

test(
  'a foreign target that goes down at the first flood is a fail with the reason, and not an environment error',
  async () => {
    const { out, ended } = await beginForeign('fair', { FRAGILE: 'noisy' })
    const { code, stderr } = await ended
    expect(stderr).toMatch(/the target died: it does not answer any more/)
    expect(code).toBe(1)
    expect(saved(out).evidence.blocks).toEqual([])
  },
  LIMIT_MS,
)
