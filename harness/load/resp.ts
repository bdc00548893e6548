// Counts commands in a stream of RESP requests: just enough of the protocol for the placebo sink.
// Refuses inline commands and anything that is not an array of bulk strings.

/** @returns a function from the next bytes to the upper-case names of the commands that they complete */
export function commandCounter(): (chunk: Buffer) => string[] {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const names: string[] = []
    let at = 0
    for (;;) {
      const end = commandEnd(data, at)
      if (end === null) break
      names.push(end.name)
      at = end.next
    }
    rest = Buffer.from(data.subarray(at))
    return names
  }
}

function commandEnd(data: Buffer, from: number): { name: string; next: number } | null {
  const head = line(data, from)
  if (head === null) return null
  if (!head.text.startsWith('*')) throw new Error('not a RESP array of bulk strings')
  let at = head.next
  let name = ''
  for (let i = 0, parts = Number(head.text.slice(1)); i < parts; i++) {
    const size = line(data, at)
    if (size === null) return null
    const length = Number(size.text.slice(1))
    if (data.length < size.next + length + 2) return null
    if (i === 0) name = data.toString('latin1', size.next, size.next + length).toUpperCase()
    at = size.next + length + 2
  }
  return { name, next: at }
}

function line(data: Buffer, from: number): { text: string; next: number } | null {
  const end = data.indexOf('\r\n', from, 'latin1')
  return end < 0 ? null : { text: data.toString('latin1', from, end), next: end + 2 }
}
