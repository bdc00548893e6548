// Asks the data probes' questions over the API, at a fixed rhythm, the same in every arm; the answers are observations.
// It judges nothing. A question that gets no answer is an observation too.

import { request } from 'undici'
import type { ProbeObservation } from '../evidence/run.ts'
import type { Arm } from '../evidence/types.ts'
import type { Call, TenantAccess } from '../target/port.ts'
import type { Canaries } from '../tenants/canary.ts'

const EVERY_MS = 50
const TIMEOUT_MS = 5000

type Question = { probe: 'read' | 'list'; reader: TenantAccess; owner: TenantAccess }

interface Answer {
  status: number
  bytes: Buffer
}

async function ask(access: TenantAccess, call: Call, id?: string): Promise<Answer> {
  const path = id === undefined ? call.path : call.path.replaceAll('{id}', encodeURIComponent(id))
  try {
    const { method, headers } = call
    const answer = await request(`${access.origin}${path}`, {
      method,
      headers,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    })
    return { status: answer.statusCode, bytes: Buffer.from(await answer.body.arrayBuffer()) }
  } catch {
    return { status: 0, bytes: Buffer.alloc(0) }
  }
}

/** An id of the same shape that belongs to nobody: its last digits are replaced. */
function unknownLike(id: string): string {
  return id.replace(/[0-9a-z]{1,4}$/i, (end) => end.replace(/./g, '9'))
}

export interface Prober {
  /** Begins a block: from now on every 50 ms one question, from the first on, until told to rest. */
  begin(arm: Arm): void
  rest(): void
  /** Newest run ids per label. */
  learn(label: string, ids: readonly string[]): void
  take(): ProbeObservation[]
}

export function startProber(
  tenants: readonly TenantAccess[],
  readers: readonly TenantAccess[],
  canaries: Canaries,
  nowUs: () => number,
): Prober {
  const labels = [...tenants, ...readers.filter((reader) => !tenants.includes(reader))].map(({ label }) => label)
  const questions: Question[] = []
  for (const owner of tenants) {
    for (const reader of readers) if (reader.read) questions.push({ probe: 'read', reader, owner })
  }
  for (const reader of readers) if (reader.list) questions.push({ probe: 'list', reader, owner: reader })
  const ids = new Map<string, readonly string[]>()
  let seen: ProbeObservation[] = []
  let timer: NodeJS.Timeout | null = null
  let turn = 0

  function observe(question: Question, arm: Arm, answer: Answer, likeUnknown: boolean | null): void {
    const sightings = canaries.scan(answer.bytes).map((s) => ({ ...s, owner: labels[s.owner] ?? 'unknown' }))
    const { label } = question.reader
    seen.push({
      t: 'probe',
      probe: question.probe,
      atUs: Math.round(nowUs()),
      arm,
      reader: label,
      owner: question.owner.label,
      status: answer.status,
      own: sightings.filter((s) => s.owner === label).length,
      foreign: sightings.filter((s) => s.owner !== label),
      likeUnknown,
    })
  }

  async function put(question: Question, arm: Arm): Promise<void> {
    const { reader, owner } = question
    if (question.probe === 'list' && reader.list) return observe(question, arm, await ask(reader, reader.list), null)
    const id = ids.get(owner.label)?.at(-1)
    if (!reader.read || id === undefined) return
    const answer = await ask(reader, reader.read, id)
    if (reader === owner || answer.status < 200 || answer.status >= 300) return observe(question, arm, answer, null)
    const unknown = unknownLike(id)
    const other = await ask(reader, reader.read, unknown)
    const same = other.status === answer.status && text(other).replaceAll(unknown, id) === text(answer)
    observe(question, arm, answer, same)
  }
  const text = (answer: Answer) => answer.bytes.toString('latin1')

  return {
    begin(arm) {
      const next = () => {
        const question = questions[turn++ % questions.length]
        if (question) void put(question, arm)
      }
      if (questions.length > 0) timer = setInterval(next, EVERY_MS)
    },
    rest() {
      if (timer) clearInterval(timer)
      timer = null
    },
    learn: (label, newest) => void ids.set(label, newest),
    take() {
      const taken = seen
      seen = []
      return taken
    },
  }
}
