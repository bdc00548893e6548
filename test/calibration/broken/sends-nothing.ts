// H1: a prober that sends nothing: vacuous, since who asks nothing finds nothing. One says so, one counts what it never sent.

import type { QuestionAccount } from '../../../harness/evidence/run.ts'
import type { Prober } from '../../../harness/run/prober.ts'
import { type Broken, instead } from './broken.ts'

function silent(due: () => number): Prober {
  return {
    begin: () => {},
    rest: () => {},
    learn: () => {},
    take: () => [],
    account: () => {
      const questions: QuestionAccount = { everyMs: 50, due: due(), skipped: 0, thrown: 0, open: 0 }
      return { questions, thrown: { times: 0, first: '' } }
    },
  }
}

export const sendsNothing: Broken[] = [
  {
    id: 'H1',
    what: 'a prober that asks nothing',
    instruments: () => instead({ crew: (crew) => Object.assign(crew, { prober: silent(() => 0) }) }),
    says: /precondition questions-asked did not hold.*put 0 questions, where \d+ blocks of \d+ s in all have room for \d+/,
  },
  {
    id: 'H1',
    what: 'a prober that counts questions and sends none',
    instruments: () =>
      instead({ crew: (crew) => Object.assign(crew, { prober: silent(() => Math.floor(crew.nowUs() / 50_000)) }) }),
    says: /precondition questions-asked did not hold.*: 0 answered, .* and \d+ are unaccounted for/,
  },
]
