// Requests made from an OpenAPI document: right ones, and right ones spoilt in one or two ways. Everything follows from the
// run seed. Refuses to know the engine: it reads the document only.

type Random = () => number

/** Mulberry32: small, seeded, good enough to choose with. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

type Schema = Record<string, unknown>
interface Parameter {
  $ref?: string
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  schema: Schema
}
interface Response {
  headers?: Record<string, { $ref?: string }>
  content?: Record<string, { schema: Schema }>
}
export interface Operation {
  operationId: string
  security: Record<string, unknown>[]
  parameters: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, Response>
}
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>
}

/** Values that the document cannot know: ids that exist, tokens. Words by name, or by operation and name. */
export interface Knowledge {
  words: Record<string, string[]>
  tokens: Record<'admin' | 'tenant', string>
  tenant: string
}

export interface FuzzCase {
  operation: Operation
  method: string
  path: string
  chunks: (string | Buffer)[]
  pauseMs: number
  /** What was spoilt; empty for a right request. */
  spoilt: string[]
}

const NASTY_TEXT = [
  '',
  ' ',
  '\0',
  '\n',
  '../..',
  '%2e%2e',
  '%',
  '%zz',
  "' OR 1=1 --",
  '$(id)',
  '{{x}}',
  '__proto__',
  'constructor',
  'null',
  'é',
  'e\u0301',
  '\u200b',
  '\ud800',
  '😀'.repeat(50),
  'x'.repeat(5000),
  '*',
  'a}:{b',
  'tenant:{x}:ctl',
  '-1',
  '1e400',
  '\u2028',
]
/** Ids that are well formed to the eye: halves that fill 64 bits, or do not fit into them, or are written in another way. */
const NASTY_ENTRIES = [
  '99999999999999999999-0',
  '0-99999999999999999999',
  '18446744073709551615-18446744073709551615',
  '18446744073709551616-1',
  '0-0',
  '01-1',
  '1-',
  '1',
  '1-1-1',
  '+',
]
const NASTY_VALUES: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -0,
  2 ** 53,
  '',
  'text',
  [],
  {},
  [[]],
  [null],
  { a: 1 },
  { steps: 1 },
  'x'.repeat(100_000),
  Array.from({ length: 2000 }, () => 0),
  { toString: 1, valueOf: 2 },
  { constructor: { prototype: 1 } },
]

export class Fuzzer {
  readonly #random: Random
  readonly #document: OpenApi
  readonly #knowledge: Knowledge

  constructor(seed: number, document: OpenApi, knowledge: Knowledge) {
    this.#random = randomFrom(seed)
    this.#document = document
    this.#knowledge = knowledge
  }

  #pick<T>(from: readonly T[]): T {
    const found = from[Math.floor(this.#random() * from.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }

  #word(name: string, operationId = ''): string {
    const { words } = this.#knowledge
    return this.#pick(words[`${operationId}.${name}`] ?? words[name] ?? ['x', 'work', 'a-b'])
  }

  /** A value that fits, as far as the schema says. */
  #fitting(schema: Schema, name: string): unknown {
    const choices = (schema.oneOf ?? schema.anyOf) as Schema[] | undefined
    if (choices) return this.#fitting(this.#pick(choices), name)
    if ('const' in schema) return schema.const
    if (Array.isArray(schema.enum)) return this.#pick(schema.enum)
    switch (schema.type) {
      case 'object':
        return this.#object(schema)
      case 'array': {
        const count = 1 + Math.floor(this.#random() * 3)
        return Array.from({ length: count }, () => this.#fitting(schema.items as Schema, name))
      }
      case 'integer':
      case 'number': {
        const from = Number(schema.minimum ?? 0)
        return from + Math.floor(this.#random() * Math.min(500, Number(schema.maximum ?? 500) - from))
      }
      case 'boolean':
        return this.#chance(0.5)
      case 'string':
        return this.#word(name)
      default:
        return this.#pick(NASTY_VALUES)
    }
  }

  #object(schema: Schema): Record<string, unknown> {
    const required = new Set((schema.required as string[] | undefined) ?? [])
    const properties = Object.entries((schema.properties as Record<string, Schema> | undefined) ?? {})
    const kept = properties.filter(([name]) => required.has(name) || this.#chance(0.3))
    return Object.fromEntries(kept.map(([name, member]) => [name, this.#fitting(member, name)]))
  }

  #spoiltJson(body: unknown, spoilt: string[]): string | Buffer {
    const text = JSON.stringify(body) ?? ''
    const members = typeof body === 'object' && body !== null ? Object.keys(body) : []
    const ways: Record<string, () => string | Buffer> = {
      'wrong type': () => {
        const name = members.length > 0 ? this.#pick(members) : 'x'
        return JSON.stringify({ ...(body as object), [name]: this.#pick(NASTY_VALUES) })
      },
      'extra member': () => JSON.stringify({ ...(body as object), [this.#pick(NASTY_TEXT)]: 1 }),
      'missing member': () => JSON.stringify(Object.fromEntries(Object.entries(body as object).slice(1))),
      'nasty text': () => text.replace(/"[^"]*"(?=[,}])/, () => JSON.stringify(this.#pick(NASTY_TEXT))),
      'member twice': () => text.replace(/^\{("[^"]*")/, (_, name) => `{${name}:null,${name}`),
      'deep nesting': () => `${'['.repeat(5000)}${']'.repeat(5000)}`,
      'deep inside': () => text.replace(/\}$/, `,"input":${'{"a":'.repeat(900)}1${'}'.repeat(900)}}`),
      'very large': () => JSON.stringify({ ...(body as object), input: 'y'.repeat(1_200_000) }),
      truncated: () => text.slice(0, Math.floor(text.length * this.#random())),
      'not UTF-8': () => Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"}')]),
      'random bytes': () => Buffer.from(Array.from({ length: 200 }, () => Math.floor(this.#random() * 256))),
      'a prototype': () => text.replace(/^\{/, '{"__proto__":{"admin":true},'),
      'a scalar': () => JSON.stringify(this.#pick(NASTY_VALUES)),
      empty: () => '',
    }
    const way = this.#pick(Object.keys(ways))
    spoilt.push(way)
    return ways[way]?.() ?? ''
  }

  next(): FuzzCase {
    const path = this.#pick(Object.keys(this.#document.paths))
    const methods = this.#document.paths[path] ?? {}
    const method = this.#pick(Object.keys(methods))
    const operation = methods[method]
    if (!operation) throw new Error(`no operation at ${path}`)
    const spoilt: string[] = []
    const spoil = (what: string, share: number): boolean => {
      const does = this.#chance(share)
      if (does) spoilt.push(what)
      return does
    }
    const target = this.#target(path, operation, spoil)
    const schema = operation.requestBody?.content['application/json']?.schema
    const fitting = schema ? this.#fitting(schema, 'body') : undefined
    let body: string | Buffer = fitting === undefined ? '' : JSON.stringify(fitting)
    if (schema ? this.#chance(0.6) : this.#chance(0.05)) body = this.#spoiltJson(fitting ?? {}, spoilt)
    const headers = this.#headers(operation, body, spoil)
    const head = `${spoil('strange method', 0.02) ? this.#pick(['BREW', 'get', 'OPTIONS', 'PATCH']) : method.toUpperCase()} ${target} HTTP/1.1`
    const request = [head, 'host: fuzz', ...headers, '', ''].join('\r\n')
    const chunks = spoil('garbage for HTTP', 0.02)
      ? [this.#pick(['GET\r\n\r\n', '\x16\x03\x01', 'GET / HTTP/9.9\r\n\r\n'])]
      : [request, body]
    return { operation, method, path, chunks, pauseMs: 0, spoilt }
  }

  #target(path: string, operation: Operation, spoil: (what: string, share: number) => boolean): string {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      if (name === 'id' && spoil('nasty entry', 0.15)) return this.#nastyId()
      return encodeURIComponent(
        spoil('nasty path', 0.15) ? this.#pick(NASTY_TEXT).toWellFormed() : this.#word(name, operation.operationId),
      )
    })
    const query = operation.parameters.flatMap(({ in: place, name, schema }) => {
      if (place !== 'query' || this.#chance(0.5)) return []
      const value = spoil('nasty query', 0.3)
        ? this.#pick([...NASTY_TEXT, ...NASTY_ENTRIES.map((entry) => `${entry}.0123456789abcdef`)]).toWellFormed()
        : String(this.#fitting(schema, name))
      const pair = `${name}=${encodeURIComponent(value)}`
      return spoil('parameter twice', 0.1) ? [pair, pair] : [pair]
    })
    if (spoil('unknown parameter', 0.05)) query.push('tenant=other', '__proto__=1')
    const target = query.length > 0 ? `${filled}?${query.join('&')}` : filled
    return spoil('broken escape', 0.02) ? `${target}%` : target
  }

  #nastyId(): string {
    return `${this.#pick(['run', 'dead'])}_${this.#knowledge.tenant}_${this.#pick(NASTY_ENTRIES)}`
  }

  #headers(operation: Operation, body: string | Buffer, spoil: (what: string, share: number) => boolean): string[] {
    const { tokens, tenant } = this.#knowledge
    const who = operation.security[0] && Object.keys(operation.security[0])[0]
    const headers: string[] = []
    if (who === 'admin' || who === 'tenant') {
      const token = spoil('wrong token', 0.05)
        ? this.#pick(['', 'x', 'pw_a_0123456789abcdef', 'y'.repeat(600)])
        : tokens[who]
      headers.push(`authorization: Bearer ${token}`)
      if (spoil('token twice', 0.02)) headers.push(`authorization: Bearer ${tokens[who]}`)
    }
    if (who === 'tenant') headers.push(`x-tenant-id: ${spoil('wrong tenant', 0.05) ? 'other-one' : tenant}`)
    if (spoil('tenant twice', 0.02)) headers.push('x-tenant-id: other-one')
    for (const { in: place, name, required, schema } of operation.parameters) {
      if (place !== 'header' || name === 'x-tenant-id' || !(required || this.#chance(0.3))) continue
      const value = spoil('nasty header', 0.3)
        ? this.#pick([...NASTY_TEXT, ...NASTY_ENTRIES]).replace(/[^\x20-\x7e]/g, '?')
        : this.#fitting(schema, name)
      headers.push(`${name}: ${value}`)
      if (spoil('header twice', 0.1)) headers.push(`${name}: ${value}`)
    }
    if (spoil('many headers', 0.01)) headers.push(`x-long: ${'z'.repeat(40_000)}`)
    if (spoil('forged context', 0.05)) headers.push('baggage: tenant.id=other', 'traceparent: 00-0-0-01')
    const bytes = Buffer.byteLength(body)
    if (bytes > 0 || spoil('a type without a body', 0.05)) {
      const type = spoil('wrong type', 0.04)
        ? this.#pick(['text/plain', 'application/xml', 'multipart/form-data', '*/*', 'application/json, text/plain'])
        : 'application/json'
      headers.push(`content-type: ${type}`)
    }
    const length = spoil('wrong length', 0.03) ? this.#pick([bytes + 5, Math.max(0, bytes - 3), -1, 9e15]) : bytes
    if (bytes > 0) headers.push(`content-length: ${length}`)
    if (bytes > 0 && spoil('two lengths', 0.02)) headers.push(`content-length: ${bytes + 1}`)
    if (spoil('length and chunks', 0.02)) headers.push('transfer-encoding: chunked')
    return headers
  }
}
