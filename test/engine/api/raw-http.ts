// One HTTP exchange on a socket of its own, byte for byte as the caller wants it: what a decent client would never send
// can be sent. Refuses to hang: it answers with what came until the deadline.

import { connect } from 'node:net'

export interface RawAnswer {
  /** 0 when nothing that looks like HTTP came. */
  status: number
  type: string
  /** Names in small letters; of two with one name, the last. */
  headers: Record<string, string>
  body: string
  /** The server closed, or the deadline passed. */
  end: 'complete' | 'closed' | 'late'
}

export interface RawRequest {
  chunks: readonly (string | Buffer)[]
  /** Between two chunks, milliseconds. */
  pauseMs?: number
  withinMs?: number
}

/** Null while the answer is not complete. */
function parse(bytes: Buffer): Omit<RawAnswer, 'end'> | null {
  const cut = bytes.indexOf('\r\n\r\n')
  if (cut < 0) return null
  const head = bytes.subarray(0, cut).toString('latin1')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
  const lines = head.split('\r\n').slice(1)
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const header = (name: string) => headers[name] ?? ''
  const type = header('content-type')
  const rest = bytes.subarray(cut + 4)
  // Endless by design: its head is the answer.
  if (type.startsWith('text/event-stream') || status === 204) return { status, type, headers, body: '' }
  if (header('transfer-encoding') === 'chunked') {
    if (!rest.includes('\r\n0\r\n\r\n') && !rest.subarray(0, 5).equals(Buffer.from('0\r\n\r\n'))) return null
    return { status, type, headers, body: unchunked(rest) }
  }
  const length = Number(header('content-length') || 0)
  return rest.length < length ? null : { status, type, headers, body: rest.subarray(0, length).toString() }
}

function unchunked(bytes: Buffer): string {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16)
    if (!(size > 0)) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
}

export function exchange(port: number, { chunks, pauseMs = 0, withinMs = 15_000 }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const got: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    let timer: NodeJS.Timeout | undefined
    const deadline = setTimeout(() => finish('late'), withinMs)
    const finish = (end: RawAnswer['end']) => {
      clearTimeout(deadline)
      clearTimeout(timer)
      socket.destroy()
      resolve({ ...(parse(Buffer.concat(got)) ?? { status: 0, type: '', headers: {}, body: '' }), end })
    }
    const send = (at: number) => {
      const chunk = chunks[at]
      if (chunk === undefined || socket.destroyed) return
      socket.write(chunk)
      if (pauseMs > 0) timer = setTimeout(() => send(at + 1), pauseMs)
      else send(at + 1)
    }
    socket.on('connect', () => send(0))
    socket.on('data', (chunk) => {
      got.push(chunk)
      if (parse(got.length === 1 ? chunk : Buffer.concat(got))) finish('complete')
    })
    socket.on('error', () => {})
    socket.on('close', () => finish('closed'))
  })
}
