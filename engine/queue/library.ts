// The Redis function library: reads the Lua parts once, names them by their digest, loads them when they are missing and
// calls them. Refuses nothing about arguments: what a function takes is said at its head in functions/.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Connection } from '../redis.ts'

/** In the order in which they need each other: Lua locals are visible only below. */
const PARTS = [
  'keys',
  'meter',
  'window',
  'context',
  'json',
  'records',
  'mend',
  'setup',
  'admit',
  'claim',
  'turn',
  'reap',
  'sched',
  'waiting',
  'register',
]

const FUNCTIONS = [
  'setup',
  'relimit',
  'suspend',
  'define',
  'drop',
  'admit',
  'cancel',
  'redrive',
  'turn',
  'renew',
  'reap',
  'reconcile',
  'peek',
  'meter',
  'waiting',
  'sched',
  'due',
  'rest',
  'forget',
  'auditor',
] as const
export type FunctionName = (typeof FUNCTIONS)[number]

const source = PARTS.map((part) => readFileSync(new URL(`./functions/${part}.lua`, import.meta.url), 'utf8')).join('\n')

const says = (error: unknown, text: string): boolean => error instanceof Error && error.message.includes(text)

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

export type Call = [name: FunctionName, keys: readonly string[], args: (string | number)[]]

/** Changes the source before it is named and loaded: one of the replaceable parts. */
export type SourcePatch = (source: string) => string

export class FunctionLibrary {
  readonly #redis: Connection
  readonly #name: string
  readonly #code: string
  readonly #fullNames: ReadonlyMap<FunctionName, string>
  #loadedByUs = false

  constructor(redis: Connection, patch: SourcePatch = (text) => text) {
    this.#redis = redis
    const text = patch(source)
    // The digest is the version: another source is another library, and both may be loaded at once.
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 8)
    this.#name = `partywall_${digest}`
    this.#code = `#!lua name=${this.#name}\n${text.replaceAll('@DIGEST@', digest)}`
    this.#fullNames = new Map(FUNCTIONS.map((name) => [name, `pw_${digest}_${name}`]))
  }

  async load(): Promise<void> {
    const found = (await this.#redis.function('LIST', 'LIBRARYNAME', this.#name)) as unknown[]
    if (found.length > 0) return
    try {
      await this.#redis.function('LOAD', this.#code)
      this.#loadedByUs = true
    } catch (error) {
      // Another engine was faster: the digest says that it is the same library.
      if (!says(error, 'already exists')) throw error
    }
  }

  async unloadOwn(): Promise<void> {
    if (!this.#loadedByUs) return
    await this.#redis.function('DELETE', this.#name).catch((error: unknown) => {
      if (!says(error, 'Library not found')) throw error
    })
  }

  async call(name: FunctionName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const fullName = this.#fullNames.get(name) ?? name
    try {
      return await this.#redis.call('FCALL', fullName, keys.length, ...keys, ...args)
    } catch (error) {
      // Redis was emptied under us, or the other engine that had loaded the library took it away when it stopped.
      if (!says(error, 'Function not found')) throw error
      await this.load()
      return await this.#redis.call('FCALL', fullName, keys.length, ...keys, ...args)
    }
  }

  /** All of them in one turn of the event loop, so in one write; each with its own end: the reply, or the error. */
  async callAll(calls: readonly Call[]): Promise<unknown[]> {
    return await Promise.all(calls.map((call) => this.call(...call).catch(asError)))
  }
}
