// Burns CPU in threads of its own, so that a run which never yields cannot hold up another one's timers; the thread is
// ended when the signal is. Refuses to reuse a thread that was told to end.

import { Worker } from 'node:worker_threads'

/** Threads kept for the next step: starting one takes some 30 ms. */
const IDLE_MAX = 2

const idle: Worker[] = []

function thread(): Worker {
  const kept = idle.pop()
  if (kept) return kept
  const made = new Worker(new URL('./compute-thread.ts', import.meta.url))
  made.unref()
  return made
}

export async function compute(ms: number, signal: AbortSignal): Promise<{ rounds: number }> {
  signal.throwIfAborted()
  const worker = thread()
  const { promise, resolve, reject } = Promise.withResolvers<{ rounds: number }>()
  const onAbort = () => {
    void worker.terminate()
    reject(signal.reason)
  }
  const onError = (error: unknown) => reject(error)
  signal.addEventListener('abort', onAbort, { once: true })
  worker.once('error', onError)
  worker.once('message', resolve)
  worker.postMessage(ms)
  try {
    const answer = await promise
    if (idle.length < IDLE_MAX) idle.push(worker)
    else void worker.terminate()
    return answer
  } finally {
    signal.removeEventListener('abort', onAbort)
    worker.off('error', onError)
    worker.off('message', resolve)
  }
}
