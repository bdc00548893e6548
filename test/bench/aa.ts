// Whole runs whose truth is known, by the command line as a user has it: A/A runs (placebo in both arms) of the default
// gate on a quiet machine and beside processes that keep every core busy, and runs of the default gate at a server that makes
// one quiet tenant slower while the noise is on. Counts how they end; refuses to count a run that ended by an error.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Outcome } from '../../harness/evidence/verdict.ts'
import { folder, saved, start, tidy } from '../live/partywall.ts'
import { describeTarget, serve, tokens } from '../live/systems/serve.ts'
import type { Bench, Figure } from './figures.ts'

const RUNS = Number(process.env.RUNS ?? 20)
/** Only the cases whose name holds this text. */
const ONLY = process.env.ONLY ?? ''
const FIRST_RUN_SEED = 70_000
/** Longer than any run of the default gate takes: a burner ends by itself then. */
const RUN_AT_MOST_S = 300

const path = (from: string) => fileURLToPath(new URL(from, import.meta.url))
const BURNER = fileURLToPath(new URL('./burner.ts', import.meta.url))
const outcomes: Record<number, Outcome> = { 0: 'pass', 1: 'fail', 3: 'inconclusive' }

interface Case {
  name: string
  /** What is changed in the default scenario's text. */
  change: readonly [from: string, to: string] | null
  /** Every core is kept busy by a process of nobody's. */
  besides: 'nothing' | 'burners'
  /** Factor on one quiet tenant's response times under noise, at the server that plants it; null for the reference engine. */
  planted: number | null
  /** What must be so, in words. */
  wanted: string
}

const toSink = ['noise:\n', 'noise:\n  to: sink\n'] as const
const tight = ['interferenceRatio: 2', 'interferenceRatio: 1.25'] as const

const cases: readonly Case[] = [
  { name: 'A/A', change: toSink, besides: 'nothing', planted: null, wanted: '0 fail' },
  { name: 'A/A with every core busy', change: toSink, besides: 'burners', planted: null, wanted: '0 fail' },
  { name: 'one p99 +30 %, limit 1.25', change: tight, besides: 'nothing', planted: 1.3, wanted: '0 pass' },
  { name: 'one p99 threefold, limit 2', change: null, besides: 'nothing', planted: 3, wanted: 'at least 95 % fail' },
]

function scenarioOf(place: string, change: Case['change']): string {
  const text = readFileSync(path('../../scenarios/noisy-neighbour.yaml'), 'utf8')
  const [from, to] = change ?? ['', '']
  if (!text.includes(from)) throw new Error(`the default scenario has no “${from.trim()}” to change`)
  const file = join(place, 'scenario.yaml')
  writeFileSync(file, text.replace(from, to))
  return file
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** A run's outcome and the reasons for it. @throws Error when it ended by an error */
async function runOf({ change, besides, planted }: Case, runSeed: number): Promise<{ outcome: Outcome; why: string }> {
  const place = folder()
  const scenario = scenarioOf(place, change)
  const out = join(place, 'run')
  const args = ['run', scenario, '--seed', String(runSeed), '--out', out]
  const children: ChildProcess[] = []
  try {
    if (planted !== null) {
      const { child, port } = await serve('planted', { TIMES: String(planted) })
      children.push(child)
      const target = join(place, 'target.yaml')
      describeTarget('planted', port, target)
      args.push('--target', target)
    }
    for (let core = 0; besides === 'burners' && core < availableParallelism(); core++) {
      const burner = spawn(process.execPath, [BURNER, String(RUN_AT_MOST_S)], {
        stdio: ['pipe', 'ignore', 'inherit'],
      })
      children.push(burner)
    }
    const { code, stderr } = await start(args, tokens).ended
    const outcome = outcomes[code ?? -1]
    if (outcome === undefined) throw new Error(`a run ended with code ${code}:\n${stderr}`)
    return { outcome, why: saved(out).verdict.reasons.slice(0, 2).join('; ') }
  } finally {
    for (const child of children) await ended(child)
    tidy()
  }
}

export const aaBench: Bench = {
  name: 'aa',
  what: 'runs whose truth is known, A/A and with a planted rise: how many pass, fail and stay undecided',
  async run(say) {
    const figures: Figure[] = []
    for (const one of cases.filter(({ name }) => name.includes(ONLY))) {
      const counted: Record<Outcome, number> = { pass: 0, fail: 0, inconclusive: 0 }
      for (let run = 0; run < RUNS; run++) {
        const runSeed = FIRST_RUN_SEED + run
        const { outcome, why } = await runOf(one, runSeed)
        counted[outcome]++
        say(`${one.name}, run ${run + 1} of ${RUNS}, run seed ${runSeed}: ${outcome}: ${why}`)
      }
      for (const [outcome, ours] of Object.entries(counted)) {
        const unit = `of ${RUNS} runs ${outcome}`
        figures.push({ name: one.name, unit, ours, peer: null, ratio: null, rounds: RUNS, spread: one.wanted })
      }
    }
    return figures
  },
}
