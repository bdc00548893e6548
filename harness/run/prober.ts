// Asks the data probes' questions over the API, at a fixed rhythm, the same in every arm; the answers are observations.
// It judges nothing. A question that gets no answer is an observation too.

import { request } from 'undici'
import type { ProbeObservation, QuestionAccount, SeenCanary } from '../evidence/run.ts'
import type { Arm } from '../evidence/types.ts'
import { noneThrown, oneMore, type ThrownTally } from '../recording/thrown.ts'
import { pick } from '../target/json-path.ts'
import type { Call, TenantAccess } from '../target/port.ts'
import type { Sighting } from '../tenants/canary.ts'
import type { Scanner } from '../tenants/scanner.ts'
import { likeUnknown } from './like-unknown.ts'
import { RunIds } from './run-ids.ts'

export const EVERY_MS = 50
const TIMEOUT_MS = 5000
/** Of one list, for one question: the first, and then on from where the last question stopped. */
const PAGES_A_QUESTION = 3

type Question = { probe: 'read' | 'list'; reader: TenantAccess; owner: TenantAccess }

interface Answer {
  /** 0 when there was no whole answer; what came of it is kept all the same. */
  status: number
  /** One byte a character. */
  head: string
  body: Buffer
}

async function ask({ origin }: TenantAccess, { method, headers }: Call, path: string): Promise<Answer> {
  let head = ''
  const chunks: Buffer[] = []
  let status = 0
  try {
    const timeouts = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS }
    const answer = await request(`${origin}${path}`, { method, headers, ...timeouts })
    head = Object.entries(answer.headers).reduce((lines, [name, value]) => `${lines}${name}: ${value}\n`, '')
    for await (const chunk of answer.body) chunks.push(Buffer.from(chunk))
    status = answer.statusCode
  } catch {
    // Told by the status.
  }
  return { status, head, body: Buffer.concat(chunks) }
}

interface Page {
  cursor: string
  /** From 1. */
  page: number
}

const isSuccess = ({ status }: Answer) => status >= 200 && status < 300

export interface Prober {
  /** Begins a block: from now on one question at a time, 50 ms apart, from the first on, until told to rest. */
  begin(arm: Arm): void
  rest(): void
  /** Some of the run ids of a label, the oldest first. */
  learn(label: string, ids: readonly string[]): void
  take(): ProbeObservation[]
  /** What became of the questions up to the last take, and the errors of ours among them. */
  account(): { questions: QuestionAccount; thrown: ThrownTally }
}

/** Finds canaries, and knows whose they are. */
interface Eyes {
  scanner: Scanner
  labelOf(owner: number): string
}

export function startProber(
  tenants: readonly TenantAccess[],
  readers: readonly TenantAccess[],
  eyes: Eyes,
  nowUs: () => number,
  everyMs = EVERY_MS,
): Prober {
  const questions: Question[] = []
  for (const owner of tenants) {
    for (const reader of readers) if (reader.read) questions.push({ probe: 'read', reader, owner })
  }
  for (const reader of readers) if (reader.list) questions.push({ probe: 'list', reader, owner: reader })
  const asker = new Asker(eyes, nowUs)
  let timer: NodeJS.Timeout | null = null
  let turn = 0

  return {
    begin(arm) {
      const next = () => {
        const round = Math.floor(turn / questions.length)
        const question = questions[turn++ % questions.length]
        if (question) void asker.due(question, round, arm)
      }
      if (questions.length > 0) timer = setInterval(next, everyMs)
    },
    rest() {
      if (timer) clearInterval(timer)
      timer = null
    },
    learn: (label, ids) => asker.ids.learn(label, ids),
    take: () => asker.take(),
    account: () => {
      const { due, skipped, ended, thrown } = asker.taken
      const everyQuestionMs = questions.length > 0 ? everyMs : 0
      const account = { everyMs: everyQuestionMs, due, skipped, thrown: thrown.times, open: due - ended }
      return { questions: account, thrown }
    },
  }
}

interface Sum {
  due: number
  skipped: number
  ended: number
  thrown: ThrownTally
}

/** Puts single questions and keeps what was observed. */
class Asker {
  readonly ids = new RunIds()
  readonly #eyes: Eyes
  readonly #nowUs: () => number
  /** Where the next question about a reader's list goes on: the page behind the last one that was asked. */
  readonly #listed = new Map<string, Page>()
  #seen: ProbeObservation[] = []
  #sum: Sum = { due: 0, skipped: 0, ended: 0, thrown: noneThrown }
  /** As the sums stood at the last take. */
  taken: Sum = this.#sum

  constructor(eyes: Eyes, nowUs: () => number) {
    this.#eyes = eyes
    this.#nowUs = nowUs
  }

  /** A question's time has come: whatever becomes of it is counted, an error of ours too. */
  async due(question: Question, round: number, arm: Arm): Promise<void> {
    this.#sum.due++
    try {
      if (!(await this.#put(question, round, arm))) this.#sum.skipped++
    } catch (error) {
      this.#sum.thrown = oneMore(this.#sum.thrown, error)
    } finally {
      this.#sum.ended++
    }
  }

  take(): ProbeObservation[] {
    const taken = this.#seen
    this.#seen = []
    this.taken = { ...this.#sum }
    return taken
  }

  /** @returns false where it could not be asked, as no run of the owner is known yet */
  async #put(question: Question, round: number, arm: Arm): Promise<boolean> {
    const { probe, reader, owner } = question
    if (probe === 'list') {
      if (reader.list) await this.#list(question, reader.list, arm)
      return true
    }
    const run = this.ids.inRound(owner.label, round)
    if (!reader.read || run === undefined) return false
    await this.#read(question, reader.read, run, arm)
    return true
  }

  async #read(question: Question, call: Call, run: string, arm: Arm): Promise<void> {
    const { reader, owner } = question
    const read = (id: string) => ask(reader, call, call.path.replaceAll('{id}', encodeURIComponent(id)))
    const answer = await read(run)
    // A canary says by itself whose run it was.
    if (reader === owner || !isSuccess(answer) || this.#canariesIn(answer).length > 0) {
      return this.#observe(question, { arm, run, likeUnknown: null }, answer)
    }
    const strangers = [this.ids.stranger(run), this.ids.stranger(run)] as const
    const before = await read(strangers[0])
    const again = await read(run)
    const after = await read(strangers[1])
    const more = [before, again, after]
    const told = (id: string, { status, body }: Answer) => ({ id, status, text: body.toString() })
    let like = likeUnknown(told(run, again), told(strangers[0], before), told(strangers[1], after))
    // An id of nobody that shows a canary was somebody's; an id that two tenants have may be the reader's own.
    const isBlurred = more.some((other) => this.#canariesIn(other).length > 0) || (like === false && this.ids.shared)
    if (isBlurred) like = null
    this.#observe(question, { arm, run, likeUnknown: like }, answer, more)
  }

  async #list(question: Question, call: Call, arm: Arm): Promise<void> {
    const { reader } = question
    const { label, listNext } = reader
    const first = await ask(reader, call, call.path)
    this.#observe(question, { arm, page: listNext ? 1 : 'only', likeUnknown: null }, first)
    if (!listNext) return
    let next = this.#listed.get(label) ?? pageBehind(first, listNext.cursorAt, 1)
    for (let asked = 1; next !== null && asked < PAGES_A_QUESTION; asked++) {
      const { cursor, page } = next
      const answer = await ask(reader, call, withParameter(call.path, listNext.param, cursor))
      this.#observe(question, { arm, page, likeUnknown: null }, answer)
      next = pageBehind(answer, listNext.cursorAt, page)
      if (next?.cursor === cursor) next = null
    }
    if (next) this.#listed.set(label, next)
    else this.#listed.delete(label)
  }

  #canariesIn(answer: Answer): SeenCanary[] {
    const { scanner, labelOf } = this.#eyes
    const named = (sightings: Sighting[]) => sightings.map(({ owner, ...rest }) => ({ ...rest, owner: labelOf(owner) }))
    const inHead = named(scanner.headers(answer.head)).map((sighting) => ({ ...sighting, in: 'headers' as const }))
    return [...named(scanner.body(answer.body)), ...inHead]
  }

  /** @param more answers that were asked for comparison: they must hold nothing foreign either */
  #observe(
    { probe, reader: { label }, owner }: Question,
    about: Pick<ProbeObservation, 'arm' | 'run' | 'page' | 'likeUnknown'>,
    answer: Answer,
    more: readonly Answer[] = [],
  ): void {
    const sightings = this.#canariesIn(answer)
    const everywhere = [...sightings, ...more.flatMap((other) => this.#canariesIn(other))]
    this.#seen.push({
      t: 'probe',
      probe,
      atUs: Math.round(this.#nowUs()),
      reader: label,
      owner: owner.label,
      status: answer.status,
      own: sightings.filter((sighting) => sighting.owner === label).length,
      foreign: everywhere.filter((sighting) => sighting.owner !== label),
      ...about,
    })
  }
}

/** The page behind an answered one; null when there is none, or when the answer does not say. */
function pageBehind(answer: Answer, cursorAt: string, page: number): Page | null {
  if (!isSuccess(answer)) return null
  try {
    const cursor = pick(JSON.parse(answer.body.toString()), cursorAt)
    const isCursor = typeof cursor === 'number' || (typeof cursor === 'string' && cursor !== '')
    return isCursor ? { cursor: String(cursor), page: page + 1 } : null
  } catch {
    return null
  }
}

function withParameter(path: string, name: string, value: string): string {
  const url = new URL(path, 'http://any')
  url.searchParams.set(name, value)
  return `${url.pathname}${url.search}`
}
