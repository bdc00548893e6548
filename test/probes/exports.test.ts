import { describe, expect, test } from 'vitest'
import type { ActCanary, ActExport } from '../../harness/evidence/acts.ts'
import { exportsHoldNothingForeign } from '../../harness/probes/exports-hold-nothing-foreign.ts'
import { exportsLeaveNothingOut } from '../../harness/probes/exports-leave-nothing-out.ts'
import { times } from './act-evidence.ts'

const canary = (name: string, digest: string, more: Partial<ActCanary> = {}): ActCanary => {
  return { t: 'canary', act: 'export', tenant: name, digest, of: 'run', copies: 1, atUs: 1000, ...more }
}
const asked = (name: string, own: ActExport['own'], more: Partial<ActExport> = {}): ActExport => {
  const at = { leftUs: 5000, answeredUs: 9000, bytes: 100 }
  return { t: 'export', act: 'export', tenant: name, status: 200, own, foreign: [], ...at, ...more }
}

/** Five runs whose outputs repeat their inputs, and two dead letters. */
const held = (name: string) => [
  ...times(5, (n) => canary(name, `${name}-r${n}`)),
  ...times(5, (n) => canary(name, `${name}-r${n}`, { copies: 2, atUs: 3000 })),
  ...times(2, (n) => canary(name, `${name}-d${n}`, { of: 'malformed entry' })),
]
const all = (name: string): ActExport['own'] => [
  ...Array.from({ length: 5 }, (_, n): [string, number] => [`${name}-r${n}`, 3]),
  ...Array.from({ length: 2 }, (_, n): [string, number] => [`${name}-d${n}`, 1]),
]
const known = [...held('a'), ...held('b')]

describe('exports-leave-nothing-out', () => {
  const judge = exportsLeaveNothingOut.judge

  test('everything that was known of: held, with the number of canaries', () => {
    const finding = judge([...known, asked('a', all('a')), asked('b', all('b'))])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 14, controls: 14, tenants: ['a', 'b'] })
    expect(finding.reason).toContain('0 of 14 canaries were not in 2 exports')
    expect(finding.reason).toContain('4 of dead letters, 10 in outputs too')
  })

  test('no dead letters in one export of three: broken for its tenant, with a digest', () => {
    const less = asked('b', all('b').slice(0, 5))
    const finding = judge([...known, asked('a', all('a')), less, asked('b', all('b'))])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['b'], opportunities: 21, controls: 19 })
    expect(finding.witness[0]?.what).toBe(
      'b: canary b-d0 of a malformed entry, known 4 ms before, was in the export 0 times; it is shown 1 times',
    )
  })

  test('an input without the output that its owner has been shown: broken', () => {
    const once = all('a').map(([digest]): [string, number] => [digest, 1])
    expect(judge([...known, asked('a', once), asked('b', all('b'))])).toMatchObject({
      finding: 'broken',
      tenants: ['a'],
    })
  })

  test('what came about after the question left may be missing', () => {
    const later = [canary('a', 'late', { atUs: 5001 }), canary('a', 'a-r0', { copies: 9, atUs: 6000 })]
    expect(judge([...known, ...later, asked('a', all('a')), asked('b', all('b'))]).finding).toBe('held')
  })

  test('an answer that broke off proves nothing; nor does a tenant without one, or a kind without any', () => {
    const cut = asked('b', [], { status: 0 })
    expect(judge([...known, asked('a', all('a')), cut])).toMatchObject({ finding: 'inconclusive', tenants: ['b'] })
    const runsOnly = known.filter(({ of }) => of === 'run')
    expect(judge([...runsOnly, asked('a', all('a')), asked('b', all('b'))]).finding).toBe('inconclusive')
    const inputsOnly = known.filter(({ copies }) => copies === 1)
    expect(judge([...inputsOnly, asked('a', all('a')), asked('b', all('b'))]).finding).toBe('inconclusive')
  })
})

describe('exports-hold-nothing-foreign', () => {
  const judge = exportsHoldNothingForeign.judge

  test('own canaries only: held', () => {
    const finding = judge([...known, asked('a', all('a')), asked('b', all('b'))])
    expect(finding).toMatchObject({ finding: 'held', opportunities: 2, controls: 14, tenants: ['a', 'b'] })
  })

  test('one of a neighbour: broken for its owner, naming who saw it', () => {
    const foreign = [{ owner: 'b', digest: 'b-r1', encoding: 'plain' }]
    const finding = judge([...known, asked('a', all('a'), { foreign }), asked('b', all('b'))])
    expect(finding).toMatchObject({ finding: 'broken', tenants: ['b'] })
    expect(finding.reason).toBe('1 foreign canaries in 2 exports: a saw b')
    expect(finding.witness[0]?.what).toBe('a: canary b-r1 of b in its export (plain)')
  })

  test('a tenant that did not see its own, or nobody else to be seen: inconclusive', () => {
    expect(judge([...known, asked('a', all('a')), asked('b', [])])).toMatchObject({
      finding: 'inconclusive',
      tenants: ['b'],
    })
    expect(judge([...held('a'), asked('a', all('a'))]).finding).toBe('inconclusive')
  })
})
