// Shows a run's progress: one live line on a terminal, plain lines elsewhere.

import type { WriteStream } from 'node:tty'
import type { Progress } from '../run/progress.ts'

const PLAIN_EVERY = 5

function progressLine(p: Progress): string {
  const parts: string[] = [p.phase === 'pairs' ? `pair ${p.pair}/${p.pairsPlanned}` : p.phase]
  parts.push(`at most ${Math.ceil(p.leftMs / 1000)} s left`)
  if (p.offeredPerSecond !== null && p.achievedPerSecond !== null) {
    parts.push(`offered ${p.offeredPerSecond.toFixed(0)}/s, achieved ${p.achievedPerSecond.toFixed(0)}/s`)
  }
  if (p.placeboP99Ms !== null) parts.push(`quiet p99 ${p.placeboP99Ms.toFixed(1)} ms under placebo`)
  if (p.noiseP99Ms !== null) parts.push(`${p.noiseP99Ms.toFixed(1)} ms under noise`)
  return parts.join(' · ')
}

export function showProgress(out: NodeJS.WriteStream): { tell(p: Progress): void; end(): void } {
  const live = out.isTTY && !process.env.CI
  let phase = ''
  let shown = false
  return {
    tell(p) {
      if (live) {
        ;(out as WriteStream).clearLine(0)
        ;(out as WriteStream).cursorTo(0)
        out.write(progressLine(p))
        shown = true
      } else if (p.phase !== phase || p.pair % PLAIN_EVERY === 0) {
        out.write(`${progressLine(p)}\n`)
      }
      phase = p.phase
    },
    end() {
      if (live && shown) out.write('\n')
      shown = false
    },
  }
}
