// The Redis function library: reads the Lua parts once, names them by their digest, loads them when they are missing and
// calls them. Refuses nothing about arguments: what a function takes is said at its head in functions/.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Connection } from '../redis.ts'

/** In the order in which they need each other: Lua locals are visible only below. */
const PARTS = ['keys', 'window', 'records', 'setup', 'admit', 'claim', 'complete', 'sched', 'register']

const FUNCTIONS = ['setup', 'relimit', 'define', 'drop', 'admit', 'claim', 'complete', 'reap', 'peek', 'sched'] as const
export type FunctionName = (typeof FUNCTIONS)[number]

const source = PARTS.map((part) => readFileSync(new URL(`./functions/${part}.lua`, import.meta.url), 'utf8')).join('\n')
const digest = createHash('sha256').update(source).digest('hex').slice(0, 8)

const libraryName = `partywall_${digest}`
const code = `#!lua name=${libraryName}\n${source.replaceAll('@DIGEST@', digest)}`
const fullNames = new Map(FUNCTIONS.map((name) => [name, `pw_${digest}_${name}`]))

const says = (error: unknown, text: string): boolean => error instanceof Error && error.message.includes(text)

export class FunctionLibrary {
  readonly #redis: Connection
  #loadedByUs = false

  constructor(redis: Connection) {
    this.#redis = redis
  }

  async load(): Promise<void> {
    const found = (await this.#redis.function('LIST', 'LIBRARYNAME', libraryName)) as unknown[]
    if (found.length > 0) return
    try {
      await this.#redis.function('LOAD', code)
      this.#loadedByUs = true
    } catch (error) {
      // Another engine was faster: the digest says that it is the same library.
      if (!says(error, 'already exists')) throw error
    }
  }

  async unloadOwn(): Promise<void> {
    if (!this.#loadedByUs) return
    await this.#redis.function('DELETE', libraryName).catch((error: unknown) => {
      if (!says(error, 'Library not found')) throw error
    })
  }

  async call(name: FunctionName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const fullName = fullNames.get(name) ?? name
    try {
      return await this.#redis.fcall(fullName, keys.length, ...keys, ...args)
    } catch (error) {
      // Redis was emptied under us, or the other engine that had loaded the library took it away when it stopped.
      if (!says(error, 'Function not found')) throw error
      await this.load()
      return await this.#redis.fcall(fullName, keys.length, ...keys, ...args)
    }
  }
}
