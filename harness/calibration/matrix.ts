// The kill matrix: what became of each seeded defect, and of the clean twin. Pure: rows in, result and words out.

import type { Finding } from '../evidence/types.ts'

/** What a run showed of the promises that it asked about; the flood's response times are one of them. */
export type Shown = Pick<Finding, 'probe' | 'finding' | 'reason'>

export type Result = 'caught' | 'escaped' | 'untripped' | 'inconclusive'

export interface DefectRow {
  id: string
  defect: string
  /** The promise that it has to be seen to break. */
  probe: string
  result: Result
  /** Null where its run could not begin. */
  trips: number | null
  /** Of the expected probe. */
  reason: string
  /** Other promises that were seen broken in the same run. */
  alsoBroken: string[]
  folder: string
}

export interface CleanRow {
  /** The scenario, or the acts, that were played without a defect. */
  what: string
  result: 'clean' | 'false alarm' | 'inconclusive'
  broken: string[]
  undecided: string[]
  folder: string
}

export interface Matrix {
  interrupted: boolean
  defects: DefectRow[]
  clean: CleanRow[]
}

/** A defect that was never tripped was not there, whatever was seen. */
export function resultOf(shown: readonly Shown[], probe: string, trips: number | null): Result {
  if (trips === 0) return 'untripped'
  const finding = shown.find((found) => found.probe === probe)?.finding
  if (finding === 'broken') return 'caught'
  return finding === 'held' ? 'escaped' : 'inconclusive'
}

/** Of nothing it is no result: `why` says what kept it from being asked. */
export function cleanResult(
  shown: readonly Shown[],
  why = 'nothing was asked',
): Pick<CleanRow, 'result' | 'broken' | 'undecided'> {
  if (shown.length === 0) return { result: 'inconclusive', broken: [], undecided: [why] }
  const named = (finding: Finding['finding']) => shown.filter((f) => f.finding === finding).map(({ probe }) => probe)
  const [broken, undecided] = [named('broken'), named('inconclusive')]
  return {
    result: broken.length > 0 ? 'false alarm' : undecided.length > 0 ? 'inconclusive' : 'clean',
    broken,
    undecided,
  }
}

/** Fail outranks inconclusive: an escape or a false alarm is a fail. */
export function outcomeOf({ defects, clean }: Matrix): 'pass' | 'fail' | 'inconclusive' {
  const results: string[] = [...defects, ...clean].map(({ result }) => result)
  if (results.includes('escaped') || results.includes('false alarm')) return 'fail'
  return results.length > 0 && results.every((result) => result === 'caught' || result === 'clean')
    ? 'pass'
    : 'inconclusive'
}

export const matrixColumns = ['id', 'defect', 'promise', 'result', 'trips', 'also broken']

export const matrixRows = ({ defects, clean }: Matrix): string[][] => [
  ...defects.map((row) => [
    row.id,
    row.defect,
    row.probe,
    row.result,
    String(row.trips ?? ''),
    row.alsoBroken.join(', '),
  ]),
  ...clean.map((row) => ['', 'none', row.what, row.result, '', [...row.broken, ...row.undecided].join(', ')]),
]

export function matrixMarkdown(matrix: Matrix): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    `# calibration: ${matrix.interrupted ? 'interrupted' : outcomeOf(matrix)}`,
    '',
    ...[matrixColumns, matrixColumns.map(() => '---'), ...matrixRows(matrix)].map(line),
    '',
    ...matrix.defects.map(({ id, defect, probe, reason }) => `- ${id} ${defect}, ${probe}: ${reason}`),
    '',
  ].join('\n')
}
