// What stays of a run's folder, and what goes, when something cannot be written. A path that is a folder stands for a disk
// that is full: writing there fails as well.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { RunFolder, writeInto } from '../../harness/run/folder.ts'
import { takeBack } from '../../harness/stack/unfinished.ts'

const places: string[] = []
afterEach(() => {
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true })
})

function place(): string {
  const made = mkdtempSync(join(tmpdir(), 'pw-folder-'))
  places.push(made)
  return made
}

const open = () => RunFolder.create(join(place(), 'run'), 'quick', new Date(0), () => {})

test('a run that ends before it has evidence leaves nothing', () => {
  const folder = open()
  folder.append('journal.ndjson', '{}\n')
  expect(folder.discard()).toBe(false)
  expect(existsSync(folder.path)).toBe(false)
})

test('a verdict that cannot be written leaves the evidence, no half file, and words that say how to go on', () => {
  const folder = open()
  folder.append('journal.ndjson', '{}\n')
  folder.write('evidence.json', '{"version":1}')
  mkdirSync(join(folder.path, 'verdict.json'))
  expect(() => folder.write('verdict.json', '{}')).toThrow(`what follows from the evidence in ${folder.path}`)
  expect(folder.discard()).toBe(true)
  expect(readdirSync(folder.path).sort()).toEqual(['evidence.json', 'journal.ndjson', 'verdict.json'])
  expect(readFileSync(join(folder.path, 'evidence.json'), 'utf8')).toBe('{"version":1}')
})

test('evidence that cannot be written leaves nothing half-written', () => {
  const folder = open()
  folder.append('journal.ndjson', '{}\n')
  mkdirSync(join(folder.path, 'evidence.json.part'))
  expect(() => folder.write('evidence.json', '{}')).toThrow('[evidence-not-written] the evidence could not be written')
  rmSync(join(folder.path, 'evidence.json.part'), { recursive: true })
  expect(folder.discard()).toBe(false)
  expect(existsSync(folder.path)).toBe(false)
})

test('a summary that cannot be written is a failure with words, and leaves no part', () => {
  const folder = place()
  mkdirSync(join(folder, 'summary.md'))
  expect(() => writeInto(folder, 'summary.md', '# quick')).toThrow('[evidence-not-written]')
  expect(readdirSync(folder)).toEqual(['summary.md'])
})

test('parts of all that a run writes are taken back when it was killed', () => {
  const path = join(place(), 'run')
  mkdirSync(path)
  for (const name of ['evidence.json.part', 'verdict.json.part', 'summary.md.part'])
    writeFileSync(join(path, name), '{')
  takeBack({ path, made: path })
  expect(existsSync(path)).toBe(false)
})
