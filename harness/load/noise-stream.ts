// The stream flood: entries written straight into the noisy tenant's own stream, in a thread of its own; the same entries
// at the placebo sink in the other arm.

import { parentPort, workerData } from 'node:worker_threads'
import { playBlock } from './noise-block.ts'
import type { FromNoise, NoiseOrder, StreamNoisePlan, ToNoise } from './noise-messages.ts'
import { XaddWriter } from './xadd-writer.ts'

const plan: StreamNoisePlan = workerData
const port = parentPort
if (!port) throw new Error('noise makers run in a worker thread')
const say = (message: FromNoise) => port.postMessage(message)

const writers = {
  noise: new XaddWriter(plan.target),
  placebo: new XaddWriter({ ...plan.target, redisUrl: plan.sinkRedisUrl }),
}
const stop = new AbortController()

async function block(order: NoiseOrder): Promise<void> {
  say({ type: 'done', ...(await playBlock(writers[order.arm], order, stop.signal)), canaries: [] })
}

port.on('message', (message: ToNoise) => {
  if (message.type === 'block') void block(message)
  else if (message.type === 'stop') {
    stop.abort()
    writers.noise.stop()
    writers.placebo.stop()
    port.close()
  }
})
say({ type: 'ready' })
