// partywall run: parses the options, runs, shows, and answers with the designed exit code.

import { randomInt } from 'node:crypto'
import { actColumns, actRows, actsSummary } from '../../reports/acts-summary.ts'
import { hasProfiles, objectiveColumns, objectiveRows } from '../../reports/objectives.ts'
import { columns, defectLine, rows, summary } from '../../reports/summary.ts'
import { exitCodes, Failure } from '../failure.ts'
import { type ActsResult, runActs } from '../run/acts.ts'
import { targetOf } from '../run/ask.ts'
import { writeInto } from '../run/folder.ts'
import { planOf, planWords, type RunPlan } from '../run/plan.ts'
import { type RunResult, runScenario } from '../run/sequence.ts'
import { scenarioOf } from '../scenario/load.ts'
import { showProgress } from './progress.ts'
import { table } from './table.ts'
import { budgetSeconds, runSeedOf } from './values.ts'

export interface RunArguments {
  scenario: string
  target: string
  defect?: string | undefined
  redis?: string | undefined
  out?: string | undefined
  seed?: string | undefined
  budget?: string | undefined
  'dry-run': boolean
  json: boolean
}

export async function run(argv: RunArguments): Promise<number> {
  const scenario = await scenarioOf(argv.scenario)
  const target = await targetOf(argv)
  const runSeed = argv.seed === undefined ? randomInt(1e9) : runSeedOf(argv.seed)
  const { redis, out, budget } = argv
  const budgetS = budget === undefined ? undefined : budgetSeconds(budget)
  if (budgetS !== undefined && scenario.kind === 'acts') {
    throw new Failure('usage', 'budget-elsewhere', 'acts take the time that they take; --budget is for a flood', {
      fix: 'leave --budget out',
    })
  }
  const plan = scenario.kind === 'acts' ? null : planOf(scenario, argv.target, budgetS)
  if (argv['dry-run']) return showPlan(argv, plan)
  process.stderr.write(
    `partywall run ${scenario.scenario}: target ${argv.target}${argv.defect === undefined ? '' : ` with seeded defect ${argv.defect}`}, Redis ${redis === undefined ? 'private' : 'given'}, run seed ${runSeed}${budgetS === undefined ? '' : `, budget ${budgetS} s`}\n`,
  )
  for (const line of plan === null ? [] : planWords(plan)) process.stderr.write(`  ${line}\n`)
  const abort = new AbortController()
  const interrupt = () => abort.abort()
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const progress = showProgress(process.stderr)
  const common = {
    target,
    runSeed,
    signal: abort.signal,
    ...(redis === undefined ? {} : { redisUrl: redis }),
    ...(out === undefined ? {} : { out }),
  }
  try {
    if (scenario.kind === 'acts') {
      const onAct = (words: string) => void process.stderr.write(`${words}\n`)
      return showActs(await runActs({ ...common, scenario, onAct }), argv.json)
    }
    const result = await runScenario({
      ...common,
      scenario,
      ...(budgetS === undefined ? {} : { budgetS }),
      onProgress: progress.tell,
      onKept: (folder) => void process.stderr.write(`what was measured until then is kept: ${folder}\n`),
    })
    progress.end()
    return show(result, argv.json)
  } catch (error) {
    progress.end()
    throw error
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

/** The plan, and nothing but the plan: no process was started, nothing was sent. */
function showPlan({ json, target }: RunArguments, plan: RunPlan | null): number {
  if (plan === null) {
    throw new Failure('usage', 'dry-run-elsewhere', 'acts send what their target lets them; --dry-run is for a flood', {
      fix: 'leave --dry-run out',
    })
  }
  if (json) process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`)
  else {
    const lines = [
      `${plan.scenario} on ${target}: ${plan.question}`,
      ...planWords(plan).map((line) => `  ${line}`),
      'nothing was sent',
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
  }
  return exitCodes.pass
}

function show({ folder, evidence, verdict }: RunResult, json: boolean): number {
  const outcome = evidence.interrupted ? 'interrupted' : verdict.outcome
  const defect = defectLine(evidence)
  if (json) {
    const { scenario, target, runSeed, defectTrips } = evidence
    process.stdout.write(
      `${JSON.stringify({ folder, scenario, target, runSeed, defect: evidence.defect, defectTrips, interrupted: evidence.interrupted, verdict }, null, 2)}\n`,
    )
  } else {
    const lines = [
      table(columns, rows(verdict)),
      ...(hasProfiles(verdict) ? [table(objectiveColumns, objectiveRows(verdict))] : []),
      ...evidence.notApplicable.map(({ what, why }) => `  ${what}: not applicable. ${why}`),
      '',
      ...(defect ? [defect] : []),
      `verdict: ${outcome}`,
      ...verdict.reasons.map((reason) => `  ${reason}`),
      `files: ${folder}`,
    ]
    process.stderr.write(`${lines.join('\n')}\n`)
  }
  // Last: a full disk must not keep the verdict from being told.
  writeInto(folder, 'summary.md', summary(evidence, verdict))
  return exitCodes[outcome]
}

function showActs({ folder, evidence, verdict }: ActsResult, json: boolean): number {
  const outcome = evidence.interrupted ? 'interrupted' : verdict.outcome
  const { scenario, target, runSeed, defect, defectTrips, interrupted } = evidence
  if (json) {
    const said = { folder, scenario, target, runSeed, defect, defectTrips, interrupted, verdict }
    process.stdout.write(`${JSON.stringify(said, null, 2)}\n`)
  } else {
    const tripped = defectLine(evidence)
    const lines = [
      table(actColumns, actRows(verdict)),
      '',
      ...(tripped ? [tripped] : []),
      `verdict: ${outcome}`,
      ...verdict.reasons.map((reason) => `  ${reason}`),
      `files: ${folder}`,
    ]
    process.stderr.write(`${lines.join('\n')}\n`)
  }
  writeInto(folder, 'summary.md', actsSummary(evidence, verdict))
  return exitCodes[outcome]
}
