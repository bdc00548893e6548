// Burns CPU in threads of its own, so that a run which never yields cannot hold up another one's timers; the thread is
// ended when the signal is. Threads are few: who finds none free waits, within the deadline of its run. Refuses to reuse a
// thread that was told to end, and to let one tenant's waiting steps stand before another's first.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { currentContext } from '../telemetry/context.ts'

/** More threads than cores only share the cores, at some 10 MB each; twice, since one that ends takes a moment to. */
export const THREADS_MAX = Math.max(4, 2 * availableParallelism())
/** Threads kept for the next step: starting one takes some 30 ms. */
const IDLE_MAX = 2

interface Waiting {
  tenant: string
  go: () => void
}

const idle: Worker[] = []
const waiting: Waiting[] = []
/** Steps that have a thread, by tenant; a thread that is being ended counts until it has. */
const computing = new Map<string, number>()
let taken = 0

function take(tenant: string): void {
  taken++
  computing.set(tenant, (computing.get(tenant) ?? 0) + 1)
}

/** The next is of the tenant that has the fewest; of those, the one that waits longest. */
function giveBack(tenant: string): void {
  taken--
  const left = (computing.get(tenant) ?? 1) - 1
  if (left > 0) computing.set(tenant, left)
  else computing.delete(tenant)
  let next = 0
  const has = (at: number) => computing.get(waiting[at]?.tenant ?? '') ?? 0
  for (let at = 1; at < waiting.length; at++) if (has(at) < has(next)) next = at
  const [chosen] = waiting.splice(next, 1)
  if (!chosen) return
  take(chosen.tenant)
  chosen.go()
}

/** Resolves when the step has a thread's place. Rejects with the signal's reason. */
async function place(tenant: string, signal: AbortSignal): Promise<void> {
  if (taken < THREADS_MAX) return take(tenant)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const entry = { tenant, go: resolve }
  const onAbort = () => {
    const at = waiting.indexOf(entry)
    if (at < 0) return
    waiting.splice(at, 1)
    reject(signal.reason)
  }
  waiting.push(entry)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function thread(): Worker {
  const kept = idle.pop()
  if (kept) return kept
  const made = new Worker(new URL('./compute-thread.ts', import.meta.url))
  made.unref()
  return made
}

export async function compute(ms: number, signal: AbortSignal): Promise<{ rounds: number }> {
  signal.throwIfAborted()
  const tenant = currentContext()?.tenant ?? ''
  await place(tenant, signal)
  let worker: Worker | null = null
  let isWhole = false
  try {
    // It may have been given its place and been aborted in the same turn of the loop.
    signal.throwIfAborted()
    worker = thread()
    const answer = await asked(worker, ms, signal)
    isWhole = true
    return answer
  } finally {
    if (worker && isWhole && idle.length < IDLE_MAX) {
      idle.push(worker)
      giveBack(tenant)
    } else {
      // Its place is free when the thread is gone, not when it was told to: the bound would not be one.
      void Promise.resolve(worker?.terminate()).finally(() => giveBack(tenant))
    }
  }
}

async function asked(worker: Worker, ms: number, signal: AbortSignal): Promise<{ rounds: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ rounds: number }>()
  const onAbort = () => reject(signal.reason)
  const onError = (error: unknown) => reject(error)
  const onExit = () => reject(new Error('the thread ended'))
  signal.addEventListener('abort', onAbort, { once: true })
  worker.once('error', onError)
  worker.once('exit', onExit)
  worker.once('message', resolve)
  worker.postMessage(ms)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    worker.off('error', onError)
    worker.off('exit', onExit)
    worker.off('message', resolve)
  }
}
