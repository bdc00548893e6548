// The command line within this process, for what it answers before anything is started. Refuses to be used for a run.

import { expect, vi } from 'vitest'
import { main } from '../../harness/cli/program.ts'

export interface Said {
  code: number
  stdout: string
  stderr: string
}

export async function said(...args: string[]): Promise<Said> {
  const heard = { stdout: '', stderr: '' }
  const keep = (name: 'stdout' | 'stderr', text: string) => {
    heard[name] += text
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => keep('stdout', String(text))),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => keep('stderr', String(text))),
    // The parser prints its help this way, and a test runner takes that for itself.
    vi.spyOn(console, 'log').mockImplementation((text) => void keep('stdout', `${text}\n`)),
  ]
  try {
    return { code: await main(args), ...heard }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Ends with 2, one message and what to do about it, and no stack. @returns the message */
export async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await said(...args)
  expect([code, stderr]).toEqual([2, expect.any(String)])
  expect(stdout).toBe('')
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stderr).not.toContain('broken invariant')
  expect(stderr.match(/^partywall: \[/gm)).toHaveLength(1)
  expect(stderr).toMatch(/^ {2}\S/m)
  return stderr
}
