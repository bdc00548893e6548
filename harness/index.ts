// The library: what authors of targets and scenarios, and tests that run a gate, may use. Refuses to print and to end the
// process; whoever calls is told by values and by errors.

import { randomInt } from 'node:crypto'
import { Failure } from './failure.ts'
import { targetOf } from './run/ask.ts'
import type { Progress } from './run/progress.ts'
import { type RunResult, runScenario as runFlood } from './run/sequence.ts'
import { scenarioOf } from './scenario/load.ts'
import type { ScenarioInput } from './scenario/schema.ts'
import type { AuthoredTargetModule } from './target/authored.ts'

export type { Evidence } from './evidence/run.ts'
export type { Verdict } from './evidence/verdict.ts'
export { Failure } from './failure.ts'
export type { Progress } from './run/progress.ts'
export type { RunResult } from './run/sequence.ts'
export { defineScenario } from './scenario/load.ts'
export type { ScenarioInput } from './scenario/schema.ts'
export { type AuthoredTarget, type AuthoredTargetModule, defineTarget } from './target/authored.ts'
export type { Call, Completion, RunRecord, TargetExit, TenantAccess, TenantPlan, TenantStream } from './target/port.ts'

export interface RunAsked {
  /** A scenario's name, the path of its file, or the scenario itself; `noisy-neighbour` where it is left out. */
  scenario?: string | ScenarioInput
  /** `reference`, the path of a target file or module, or the target itself; `reference` where it is left out. */
  target?: string | AuthoredTargetModule
  /** A seeded defect of the reference engine. */
  defect?: string
  /** URL of a Redis for the reference engine; a private one is started where it is left out. */
  redis?: string
  /** Integer from 0; drawn where it is left out, and in the evidence either way. */
  seed?: number
  /** Folder of the run, which must not exist; partywall-runs/<utc>-<scenario> where it is left out. */
  out?: string
  /** Upper bound of measured time, seconds. */
  budgetS?: number
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
}

/**
 * Runs a scenario of quiet tenants beside a noisy one, and judges it. What was started is gone when it comes back.
 * @throws Failure usage for what was asked wrongly, environment for what is not there; a verdict of any kind is no error
 */
export async function runScenario(asked: RunAsked = {}): Promise<RunResult> {
  const { defect, redis, seed = randomInt(1e9), out, budgetS, signal = new AbortController().signal } = asked
  const scenario = await scenarioOf(asked.scenario ?? 'noisy-neighbour')
  if (scenario.kind === 'acts') {
    throw new Failure(
      'usage',
      'scenario-of-acts',
      `${scenario.scenario} is a scenario of acts, which this call does not run`,
      {
        fix: 'run it by the command line: partywall run',
      },
    )
  }
  return await runFlood({
    scenario,
    target: await targetOf({ target: asked.target ?? 'reference', defect, redis }),
    runSeed: seed,
    signal,
    onProgress: asked.onProgress ?? (() => {}),
    ...(redis === undefined ? {} : { redisUrl: redis }),
    ...(out === undefined ? {} : { out }),
    ...(budgetS === undefined ? {} : { budgetS }),
  })
}

/** For tests: throws an error whose message holds the verdict's reasons, unless the run has passed. */
export function assertPass({ verdict, evidence, folder }: RunResult): void {
  const outcome = evidence.interrupted ? 'interrupted' : verdict.outcome
  if (outcome === 'pass') return
  const lines = [
    `${evidence.scenario} on ${evidence.target}: ${outcome}`,
    ...verdict.reasons.map((reason) => `  ${reason}`),
  ]
  throw new Error([...lines, `  evidence: ${folder}`].join('\n'))
}
