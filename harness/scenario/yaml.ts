// Reads a YAML file against a schema and says, for each thing wrong, the file, line, column and what was expected.

import { readFileSync } from 'node:fs'
import { isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { Failure } from '../failure.ts'

type Issue = z.core.$ZodIssue

function inWords(issue: Issue): string {
  const where = issue.path.length > 0 ? issue.path.map(String).join('.') : 'the file'
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `\`${key}\``).join(', ')
    return `unknown key ${keys} in ${where}`
  }
  return `${where}: ${issue.message}`
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
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => `${at(error.pos[0])}: ${error.message.split('\n')[0]}`)
    throw new Failure('usage', 'yaml-syntax', problems.join('\n'), { fix: 'mend the YAML at the place named' })
  }
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 50 }))
  if (parsed.success) return parsed.data
  const place = (issue: Issue): string => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : [...issue.path]
    for (; path.length > 0; path.pop()) {
      const pair = keyNode(document, path)
      if (pair !== undefined) return at(pair)
    }
    return at(0)
  }
  const problems = parsed.error.issues.map((issue) => `${place(issue)}: ${inWords(issue)}`)
  throw new Failure('usage', `${what}-invalid`, problems.join('\n'), {
    fix: `mend the ${what} file at the places named`,
  })
}

/** Offset of the value at a path, or of its key where the file has one. */
function keyNode(document: ReturnType<typeof parseDocument>, path: PropertyKey[]): number | undefined {
  const node = document.getIn(path as unknown[], true)
  if (isNode(node) && node.range) return node.range[0]
  return undefined
}
