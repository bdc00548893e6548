// What a benchmark finds: figures, each with its unit, the peer's, the ratio, and how far the rounds lay apart; or a table,
// where there is more than one peer. Refuses a mean: the median of the rounds, and all of their range.

export interface Figure {
  name: string
  unit: string
  ours: number
  /** Null where there is no peer. */
  peer: number | null
  /** Ours over the peer's, of the medians. */
  ratio: number | null
  rounds: number
  /** Smallest to largest round, ours and the peer's. */
  spread: string
}

/** For what one peer's column cannot hold: rows with a head, and the same for machines. */
export interface Table {
  rows: string[][]
  json: Record<string, unknown>
}

export type Bench = { name: string; what: string } & (
  | { run(say: (line: string) => void): Promise<Figure[]> }
  | { tabulate(say: (line: string) => void): Promise<Table> }
)

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export function figure(name: string, unit: string, ours: readonly number[], peer: readonly number[] = []): Figure {
  const short = (value: number) => Number(value.toPrecision(3)).toLocaleString('en')
  const range = (values: readonly number[]) => `${short(Math.min(...values))}-${short(Math.max(...values))}`
  const [own, other] = [median(ours), peer.length === 0 ? null : median(peer)]
  return {
    name,
    unit,
    ours: own,
    peer: other,
    ratio: other === null ? null : own / other,
    rounds: ours.length,
    spread: other === null ? range(ours) : `${range(ours)} | ${range(peer)}`,
  }
}
