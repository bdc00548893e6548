// A table for the terminal.

import Table from 'cli-table3'

export function table(head: readonly string[], body: readonly string[][]): string {
  const made = new Table({ head: [...head], style: { head: [], border: [] } })
  for (const row of body) made.push(row)
  return made.toString()
}
