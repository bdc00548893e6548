// One Redis and its nodes for all tests of a file: there before the first test, gone after the last. Called at the top of the
// file, and awaited.

import { afterAll } from 'vitest'
import { type Node, type NodeOptions, type Stage, startNode, startStage } from './stage.ts'

async function sharedNodes<T extends Record<string, NodeOptions>>(
  options: T,
): Promise<Record<keyof T, Node> & { stage: Stage }> {
  const stage = await startStage()
  const nodes: Partial<Record<keyof T, Node>> = {}
  afterAll(async () => {
    await Promise.all(Object.values(nodes).map((node) => node?.stop()))
    await stage.stop()
  })
  for (const name of Object.keys(options) as (keyof T)[]) nodes[name] = await startNode(stage, options[name])
  return { stage, ...(nodes as Record<keyof T, Node>) }
}

export const sharedNode = () => sharedNodes({ node: {} })

/** `idle` runs nothing: what is admitted stays queued. `busy` works sixteen at the same time. */
export async function idleAndBusy() {
  const shared = await sharedNodes({ idle: { namespace: 'idle' }, busy: { namespace: 'busy' } })
  shared.busy.work({ slots: 16 })
  return shared
}
