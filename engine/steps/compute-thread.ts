// The thread behind a compute step: computes for as many milliseconds as it is told, and yields to nothing. Refuses to
// stop by itself: who started it ends it.

import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (ms: number) => {
  const until = performance.now() + ms
  let rounds = 0
  let x = 1
  do {
    for (let i = 0; i < 10_000; i++) x = Math.imul(x, 1_664_525) + 1_013_904_223
    rounds++
  } while (performance.now() < until)
  parentPort?.postMessage({ rounds: x === 0 ? -rounds : rounds })
})
