// Reads a YAML file against a schema and says, for each thing wrong, the file, line, column and what was expected.
// Refuses aliases that lead nowhere, in a circle, or to more than a file of this kind can need.

import { readFileSync } from 'node:fs'
import { type Alias, type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { Failure } from '../failure.ts'
import { keysAt, nearest } from './nearest-key.ts'

type Issue = z.core.$ZodIssue

/** A value may be repeated by aliases this often, those within it included. */
const ALIASES_AT_MOST = 50

export function inWords(issue: Issue, schema: z.ZodType): string {
  const where = issue.path.length > 0 ? issue.path.map(String).join('.') : 'the file'
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `\`${key}\``).join(', ')
    return `unknown key ${keys} in ${where}; ${meant(issue.keys, keysAt(schema, issue.path))}`
  }
  return `${where}: ${issue.message}`
}

/**
 * Of a value that fits none of several forms: what is wrong with it by the form that it comes nearest to. Fits it none of
 * them even in kind, each says what it expected.
 */
export function spelledOut(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const forms = issue.errors.map((errors) => errors.flatMap(spelledOut))
  const near = forms.filter((errors) =>
    errors.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  )
  const [best] = near.sort((a, b) => a.length - b.length)
  if (best !== undefined) return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
  const expected = [...new Set(forms.flat().map(({ message }) => message.replace(/^Invalid input: /, '')))]
  return [{ ...issue, message: expected.join('; or ') }]
}

function meant(keys: readonly string[], known: readonly string[]): string {
  const near = keys.flatMap((key) => nearest(key, known) ?? [])
  if (near.length > 0) return `did you mean ${near.map((name) => `\`${name}\``).join(', ')}?`
  return known.length === 0 ? 'nothing may stand there' : `known are ${known.join(', ')}`
}

/** Parses and validates; all problems of the file in one usage failure. */
export function readYaml<T>(path: string, schema: z.ZodType<T>, what: string): T {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Failure('usage', 'file-unreadable', `cannot read the ${what} file ${path}`, {
      fix: 'give the path of a file that exists and can be read',
      cause,
    })
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  const [error] = document.errors
  if (error !== undefined) {
    // The others mostly follow from the first. Its place is said once.
    const words = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')
    throw new Failure('usage', 'yaml-syntax', `${at(error.pos[0])}: ${words}`, {
      fix: 'mend the YAML at the place named; a value with { or * or : in it wants quotes',
    })
  }
  const parsed = schema.safeParse(plain(document, at))
  if (parsed.success) return parsed.data
  const place = (issue: Issue): string => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : [...issue.path]
    for (; path.length > 0; path.pop()) {
      const offset = offsetOf(document, path)
      if (offset !== undefined) return at(offset)
    }
    return at(0)
  }
  const problems = parsed.error.issues.flatMap(spelledOut).map((issue) => `${place(issue)}: ${inWords(issue, schema)}`)
  throw new Failure('usage', `${what}-invalid`, problems.join('\n'), {
    fix: `mend the ${what} file at the places named`,
  })
}

/** The document as plain data, its aliases replaced by what they stand for. */
function plain(document: Document.Parsed, at: (offset: number) => string): unknown {
  const aliases: Alias.Parsed[] = []
  visit(document, { Alias: (_, node) => void aliases.push(node as Alias.Parsed) }) // of a parsed document all are parsed
  const refuse = (alias: Alias.Parsed | undefined, words: string, cause?: unknown) => {
    const fix = 'write the value out where the alias stands'
    return new Failure('usage', 'yaml-alias', `${at(alias?.range[0] ?? 0)}: ${words}`, { fix, cause })
  }
  for (const alias of aliases) {
    const meant = alias.resolve(document)
    if (!meant) throw refuse(alias, `the alias *${alias.source} has no anchor &${alias.source} before it`)
    const [from, to] = meant.range ?? [0, 0]
    const [offset] = alias.range
    if (from <= offset && offset < to)
      throw refuse(alias, `the alias *${alias.source} stands within what it stands for`)
  }
  try {
    return document.toJS({ maxAliasCount: ALIASES_AT_MOST })
  } catch (cause) {
    // The parser counts as it goes, and does not say at which alias it stopped.
    if (!(cause instanceof ReferenceError)) throw cause
    throw refuse(aliases.at(-1), `aliases repeat a value more than ${ALIASES_AT_MOST} times`, cause)
  }
}

/** Offset of the key that a path ends with, or of the item in a list: the value may begin lines further down. */
function offsetOf(document: Document.Parsed, path: PropertyKey[]): number | undefined {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)))
    if (isScalar(pair?.key)) return pair.key.range?.[0]
  }
  const node = document.getIn(path, true)
  return isNode(node) ? node.range?.[0] : undefined
}
