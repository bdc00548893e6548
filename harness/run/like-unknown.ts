// Whether an answer for a neighbour's run is the one that an id of nobody gets: a system may refuse with 200. Two ids of
// nobody are asked, one before and one after, and only what they agree on is compared: times and request ids differ by
// themselves. Refuses to decide where an answer failed, or where the two have nothing in common.

/** One answer and the id that it was asked about. */
export interface Told {
  id: string
  status: number
  text: string
}

/** No answer, or one that says nothing about the run: the system was too busy, or broke. */
export function isFailure(status: number): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500
}

/** @returns null when it cannot be decided */
export function likeUnknown(answer: Told, before: Told, after: Told): boolean | null {
  if ([answer, before, after].some(({ status }) => isFailure(status))) return null
  if (before.status !== after.status) return null
  if (answer.status !== before.status) return false
  const [said, one, other] = [partsOf(answer), partsOf(before), partsOf(after)]
  if (!sameKeys(one, other)) return null
  if (!sameKeys(one, said)) return false
  const common = [...one.keys()].filter((key) => agree(one.get(key), other.get(key)))
  if (one.size > 0 && common.length === 0) return null
  return common.every((key) => agree(said.get(key), one.get(key)))
}

interface Part {
  raw: string
  /** With its own id taken out. */
  bare: string
}

/** As it stands, or but for the id: an id that is a small number may stand in a date by chance. */
const agree = (a: Part | undefined, b: Part | undefined) =>
  a !== undefined && b !== undefined && (a.raw === b.raw || a.bare === b.bare)

const sameKeys = (a: ReadonlyMap<string, Part>, b: ReadonlyMap<string, Part>) =>
  a.size === b.size && [...a.keys()].every((key) => b.has(key))

/** What an answer consists of: the leaves of its JSON by their path, or else its words by their place. */
function partsOf({ id, text }: Told): Map<string, Part> {
  const parts = new Map<string, Part>()
  const add = (key: string, raw: string) => parts.set(key, { raw, bare: withoutId(raw, id) })
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    text.split(/\s+/).forEach((word, at) => void (word === '' || add(`word ${at}`, word)))
    return parts
  }
  const walk = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return void add(path, `${typeof value} ${value}`)
    const entries = Object.entries(value)
    if (entries.length === 0) add(path, Array.isArray(value) ? '[]' : '{}')
    for (const [name, inner] of entries) walk(inner, `${path}.${withoutId(name, id)}`)
  }
  walk(parsed, '$')
  return parts
}

/** Takes out the id where it stands by itself, as it is or as a URL has it. */
function withoutId(text: string, id: string): string {
  const forms = [...new Set([id, encodeURIComponent(id)])].map((form) => form.replace(/[^\w]/g, '\\$&'))
  return text.replace(new RegExp(`(?<![0-9a-z])(?:${forms.join('|')})(?![0-9a-z])`, 'gi'), '{id}')
}
