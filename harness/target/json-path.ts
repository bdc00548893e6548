// Picks one value out of parsed JSON by a dotted path (`$.run.id`, `id`). Nothing but names and indices.

export function pick(value: unknown, path: string): unknown {
  let at = value
  for (const name of path.replace(/^\$\.?/, '').split('.')) {
    if (name === '') continue
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = Reflect.get(at, name)
  }
  return at
}
