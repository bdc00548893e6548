// A whole run with the fake crew in the place of the real one, in a folder of its own. Only the crew and the target are
// replaced: the sequence, the evidence on disk and the judge are those that ship.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { Evidence } from '../../harness/evidence/run.ts'
import { sound } from '../../harness/run/instruments.ts'
import type { RunOptions } from '../../harness/run/options.ts'
import { type FakeCrew, fakeCrew, inspectedBy, never, type Play, RUN_SEED, scenario } from './fake-crew.ts'

const stage: { crew: FakeCrew; died: Promise<string> } = { crew: fakeCrew(), died: never() }

vi.doMock('../../harness/run/crew.ts', () => ({
  startCrew: async ({ folder, options }: { folder: FakeCrew['folder']; options: RunOptions }) => {
    const instruments = options.instruments ?? sound
    Object.assign(stage.crew, { folder, inspected: inspectedBy(instruments) })
    return instruments.crew(stage.crew)
  },
}))
vi.doMock('../../harness/run/stand.ts', async (original) => ({
  ...(await original<object>()),
  stand: async () => {
    const { target, quiet, noisy } = stage.crew
    return { target, quiet, noisy, redis: 'none', died: stage.died }
  },
}))
// Not before the crew is replaced.
const { runScenario } = await import('../../harness/run/sequence.ts')

const folders: string[] = []

/** For afterEach. */
export function tidy(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

export const MS = 1000
/** When things happen with this scenario: the noise of the warm-up, silence, the first pair. */
export const NOISE_FROM_US = 1000 * MS
export const NOISE_TO_US = 1500 * MS
export const SILENCE_FROM_US = 2000 * MS
export const PAIRS_FROM_US = 3005 * MS

interface Staged extends Partial<RunOptions> {
  died?: Promise<string>
}

/** The crew can still be changed in the same turn. */
export function begin(play: Play, { died = never<string>(), ...options }: Staged = {}) {
  const crew = fakeCrew(play)
  Object.assign(stage, { crew, died })
  const place = mkdtempSync(join(tmpdir(), 'pw-sequence-'))
  folders.push(place)
  const out = join(place, 'run')
  const kept: string[] = []
  const running = runScenario({
    scenario,
    runSeed: RUN_SEED,
    target: { kind: 'foreign', make: never },
    out,
    signal: new AbortController().signal,
    onProgress: () => {},
    onKept: (folder) => void kept.push(folder),
    ...options,
  })
  const read = () => JSON.parse(readFileSync(join(out, 'evidence.json'), 'utf8')) as Evidence
  return { crew, out, kept, running, read }
}

export const gone = () => Promise.reject(new Error('ECONNREFUSED'))

/** A target that is well until then, and answers nothing afterwards. */
export const diesAt = (us: number): Play => ({
  fate: (due) => (due < us ? 4 : 'failed'),
  // Something is left in the moments before.
  backlog: (now) => (now < us ? Promise.resolve(now < us - 150 * MS ? 0 : 1) : gone()),
  reach: (now) => (now < us ? Promise.resolve() : gone()),
})
