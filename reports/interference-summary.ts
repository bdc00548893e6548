// The interference report of a finished run in Markdown, short: what the verdict's isolation report holds, each figure with
// its unit, its count and its window. Evidence in, text out. No I/O; nothing in it decides.

import type { ByArm, DwellReport, DwellTimes, IsolationReport, Rise } from '../harness/evidence/verdict.ts'

const NONE = '–'
const fixed = (value: number | null, digits: number) => (value === null ? NONE : value.toFixed(digits))
const percent = (share: number | null) => (share === null ? NONE : `${(share * 100).toFixed(2)} %`)

export function interferenceSummary(report: IsolationReport): string[] {
  const { placebo, noise, silence } = report.windows
  const of = (name: string, { blocks, seconds }: typeof noise) => `${blocks} of ${name} (${seconds.toFixed(1)} s)`
  return [
    '## Interference, for information',
    '',
    `Steady windows: ${of('placebo', placebo)}, ${of('noise', noise)}, ${of('silence', silence)}. Placebo → noise:`,
    '',
    ...table(report),
    '',
    ...influenceLines(report.influence),
    evennessLine(report),
    starvationLine(report),
    ...dwellLines(report.dwell),
    '',
  ]
}

function table({ rises, throughput }: IsolationReport): string[] {
  const head = ['tenant', 'p99 ms, ratio, n', 'p99 against silence', 'offered /s', 'done /s', 'ended well']
  const rows = throughput.map(({ tenant, offeredPerSecond, donePerSecond, successRatio, offered }) => {
    const p99 = (against: Rise['against']) =>
      riseWords(rises.find((rise) => rise.tenant === tenant && rise.quantile === 'p99' && rise.against === against))
    const pair = (figures: ByArm, words: (value: number | null) => string) =>
      `${words(figures.placebo)} → ${words(figures.noise)}`
    return [
      tenant,
      p99('placebo'),
      p99('silence'),
      pair(offeredPerSecond, (value) => fixed(value, 1)),
      pair(donePerSecond, (value) => fixed(value, 1)),
      `${pair(successRatio, percent)} (n=${offered.placebo ?? 0} + ${offered.noise ?? 0})`,
    ]
  })
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
}

function riseWords(rise: Rise | undefined): string {
  if (!rise) return NONE
  const { offMs, onMs, ratio, differenceMs, samples } = rise
  const sign = differenceMs !== null && differenceMs >= 0 ? '+' : ''
  const change = ratio === null ? '' : `, ×${ratio.toFixed(2)}, ${sign}${fixed(differenceMs, 2)} ms`
  return `${fixed(offMs, 2)} → ${fixed(onMs, 2)}${change} (n=${samples.off} + ${samples.on})`
}

function influenceLines({ average, largest, levels }: IsolationReport['influence']): string[] {
  const rows = levels.map((level) => {
    const { noisePerSecond, refPerSecond, disrPerSecond, influence, refP99SumMs, disrP99SumMs } = level
    const load = `${fixed(refPerSecond, 0)} → ${fixed(disrPerSecond, 0)} operations/s of all tenants`
    const p99s = `sum of the quiet p99s ${fixed(refP99SumMs, 2)} → ${fixed(disrP99SumMs, 2)} ms`
    return `- noise of ${fixed(noisePerSecond, 0)} operations/s: I_QoS ${fixed(influence, 4)} (0 is perfect; ${load}, ${p99s})`
  })
  if (rows.length === 0) return ['- Krebs’ influence: not known, as it is not known how much noise was sent']
  const many = rows.length === 1 ? 'one level of noise, so both are that one’s' : `${rows.length} levels of noise`
  return [...rows, `- I_avg ${fixed(average, 4)}, I_max ${fixed(largest, 4)} (${many})`]
}

function evennessLine({ minMaxRatio, jain, evennessOf }: IsolationReport): string {
  return `- evenness under noise, done over offered of ${evennessOf} quiet tenants: min-max ratio ${fixed(minMaxRatio, 3)}, Jain ${fixed(jain, 3)}`
}

function starvationLine({ starvation }: IsolationReport): string {
  if (!starvation) return '- starvation: not known, as no block was recorded'
  const told = starvation.tenants.map(({ tenant, ms, operations }) => `${tenant} ${ms.toFixed(1)} ms (n=${operations})`)
  return `- longest time with something due and nothing done, in ${starvation.overSeconds.toFixed(1)} s from the first block to the last: ${told.join(', ')}`
}

function dwellLines(dwell: DwellReport): string[] {
  if (dwell.state === 'not-told') return [`- dwell, from queued to first executed: ${dwell.why}`]
  const { questions, answered, unknown, triedAgain, endedEarly } = dwell
  const times = (of: DwellTimes | null) =>
    of === null ? NONE : `${fixed(of.p50Ms, 0)} / ${fixed(of.p99Ms, 0)} ms (n=${of.runs})`
  const sample = `${answered} of a sample of ${questions} runs were told, ${unknown} were not known any more, ${triedAgain} had been tried again`
  const early = endedEarly === '' ? '' : `; the asking ended early: ${endedEarly}`
  const tenants = dwell.tenants.map(
    ({ tenant, placebo, noise }) => `  - ${tenant}: ${times(placebo)} → ${times(noise)}`,
  )
  return [`- dwell p50 / p99, from queued to first executed, on the target’s clock (${sample}${early}):`, ...tenants]
}
