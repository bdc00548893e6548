// Which runs the data probes ask about: one a round for each owner, asked by everybody, so that the owner's own read of
// the same run stands beside the foreign ones. Refuses to ask twice about a run while others wait to be asked about.

/** Digits of an id that nobody has; more than any target counts to, and still a 32-bit number. */
const STRANGE_DIGITS = 9

interface OfOwner {
  /** As they were learned, the oldest first. */
  fresh: string[]
  asked: string[]
  round: number
  current: string | undefined
  turn: number
}

export class RunIds {
  readonly #owners = new Map<string, OfOwner>()
  /** Who was seen to have an id. */
  readonly #known = new Map<string, Set<string>>()
  #shared = false
  #strangers = 0

  learn(owner: string, ids: readonly string[]): void {
    const of = this.#of(owner)
    for (const id of ids) {
      const having = this.#known.get(id) ?? new Set()
      if (id === '' || having.has(owner)) continue
      this.#known.set(id, having.add(owner))
      if (having.size > 1) this.#shared = true
      of.fresh.push(id)
    }
  }

  /** Two tenants were seen to have a run of the same id: there an id says nothing about whose run it is. */
  get shared(): boolean {
    return this.#shared
  }

  /** The owner's run of this round; the newest, the oldest and the middle one of those not asked about take turns. */
  inRound(owner: string, round: number): string | undefined {
    const of = this.#of(owner)
    if (of.round === round && of.current !== undefined) return of.current
    of.round = round
    of.current = take(of)
    return of.current
  }

  /** An id of the same shape that belongs to nobody: other than `id`, than all that are known and all made before. */
  stranger(id: string): string {
    for (;;) {
      const stranger = withDigits(id, strangeDigits(this.#strangers++))
      if (stranger !== id && !this.#known.has(stranger)) return stranger
    }
  }

  #of(owner: string): OfOwner {
    const known = this.#owners.get(owner)
    if (known) return known
    const of: OfOwner = { fresh: [], asked: [], round: -1, current: undefined, turn: 0 }
    this.#owners.set(owner, of)
    return of
  }
}

function take(of: OfOwner): string | undefined {
  const places = [of.fresh.length - 1, 0, of.fresh.length >> 1]
  const [id] = of.fresh.length > 0 ? of.fresh.splice(places[of.turn++ % places.length] ?? 0, 1) : of.asked.splice(0, 1)
  if (id !== undefined) of.asked.push(id)
  return id
}

/** Ends an id in these digits, which are letters of every alphabet that ids are written in. */
function withDigits(id: string, digits: string): string {
  const places = [...id.matchAll(/[0-9a-z]/gi)].map(({ index }) => index).slice(-digits.length)
  const counter = counterOf(id)
  if (places.length < digits.length || counter !== '') return id.slice(0, id.length - counter.length) + digits
  const chars = id.split('')
  places.forEach((place, i) => {
    chars[place] = digits[i] ?? ''
  })
  return chars.join('')
}

/**
 * The number that an id ends in, if it looks counted: short, and not part of a longer text of letters and digits. Its length
 * says nothing, and somebody will soon have its next ones.
 */
function counterOf(id: string): string {
  const [tail = ''] = /[0-9a-z]*$/i.exec(id) ?? []
  return tail.length < 12 ? (/^[a-z]*(\d{1,8})$/i.exec(tail)?.[1] ?? '') : ''
}

/** Never 0, which some alphabets leave out, and never twice the same. */
function strangeDigits(serial: number): string {
  // The factor has no factor in common with 9^n, so all numbers come before one comes again.
  const number = (serial * 100_000_007 + 271_828_182) % 9 ** STRANGE_DIGITS
  const digits = number.toString(9).padStart(STRANGE_DIGITS, '0')
  return digits.replace(/./g, (digit) => String(Number(digit) + 1))
}
