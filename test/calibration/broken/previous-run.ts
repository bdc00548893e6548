// H11: results that were kept from a run before: its files, or its verdict.

import { type Broken, instead, varied } from './broken.ts'

const kept = (file: 'journal.ndjson' | 'histograms.hlog'): Broken => ({
  id: 'H11',
  what: `a recorder that writes the ${file} of the run before`,
  instruments: ({ text }) =>
    instead({
      crew: (crew) => {
        const { folder } = crew
        let isWritten = false
        const append = (name: string, fresh: string) => {
          if (name !== file) return folder.append(name, fresh)
          if (!isWritten) folder.append(name, text(file))
          isWritten = true
        }
        return Object.assign(crew, { folder: { append } })
      },
    }),
  says: new RegExp(
    `precondition one-run did not hold.*(\\d+) of \\1 parts of ${file.replace('.', '\\.')} are of another run \\(the first says [0-9a-f]{16}\\)`,
  ),
})

export const previousRun: Broken[] = [
  kept('journal.ndjson'),
  kept('histograms.hlog'),
  {
    id: 'H11',
    what: 'a judge that answers with the verdict of the run before',
    play: { fate: (us) => 5 + varied(us) },
    instruments: ({ verdict }) => instead({ judge: () => verdict }),
    says: /the verdict is not stood by: quiet-\d under noise: p99 \d+\.\d ms, where the journal's intended starts give 1[56]\.\d ms/,
  },
]
