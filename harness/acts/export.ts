// Act: tenants whose runs, outputs and dead letters hold canaries ask for everything that is theirs, several at a time and
// while all of them work and are written to; then once more when everything is still. What the target holds of each is
// written down as it comes about.

import type { TenantAccess } from '../target/port.ts'
import type { Act, Stage } from './stage.ts'

const RUNS = 20
const MORE_RUNS = 30

async function starts(stage: Stage, access: TenantAccess, count: number, everyMs: number): Promise<void> {
  const sent: Array<Promise<void>> = []
  for (let i = 0; i < count; i++) {
    sent.push(stage.startRegistered(access))
    await stage.wait(everyMs)
  }
  await Promise.all(sent)
}

async function exports(stage: Stage, accesses: readonly TenantAccess[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all(accesses.map((access) => stage.export(access)))
    await stage.wait(100)
  }
}

export const exportAct: Act = {
  name: 'export',
  needs: ['tenants', 'backlog', 'read', 'stream', 'export'],
  async play(stage) {
    const role = { stepMs: 5, concurrentRuns: 3 }
    const accesses = await Promise.all([1, 2, 3].map((i) => stage.tenant(`audited-${i}`, role)))
    const beside = await stage.tenant('beside', { stepMs: 10 })
    const malformed = (access: TenantAccess) => stage.writeRegistered(access, access.stream?.malformed ?? [])
    await Promise.all(accesses.map((access) => Promise.all([starts(stage, access, RUNS, 2), malformed(access)])))
    await stage.drained(accesses, 6000)
    await stage.readRegistered()
    await Promise.all([
      exports(stage, accesses, 6),
      stage.burst(beside, 150),
      ...accesses.flatMap((access) => [starts(stage, access, MORE_RUNS, 30), malformed(access)]),
    ])
    await stage.drained([...accesses, beside], 6000)
    await stage.readRegistered()
    await exports(stage, accesses, 1)
  },
}
