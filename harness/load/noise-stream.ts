// The stream flood: entries written straight into the noisy tenant's own stream with ioredis, in a thread of its own.
// A lost reply is not sent again: an entry would be written twice.

import { parentPort, workerData } from 'node:worker_threads'
import { Redis } from 'ioredis'
import type { FromNoise, NoiseOrder, StreamNoisePlan, ToNoise } from './noise-messages.ts'
import { pace } from './pace.ts'

const plan: StreamNoisePlan = workerData
const port = parentPort
if (!port) throw new Error('noise makers run in a worker thread')
const say = (message: FromNoise) => port.postMessage(message)

function connect(url: string): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    enableOfflineQueue: true,
    connectTimeout: 2000,
    retryStrategy: (times) => (times > 20 ? null : 100),
  })
  redis.on('error', () => {}) // counted per entry below
  return redis
}

const connections = { noise: connect(plan.target.redisUrl), placebo: connect(plan.sinkRedisUrl) }
const fields = Object.entries(plan.target.fields).flat()
let stopped = false

async function block({ arm, count, lengthMs }: NoiseOrder): Promise<void> {
  const redis = connections[arm]
  const cpu = process.threadCpuUsage()
  let answered = 0
  let errors = 0
  const emit = (due: number) => {
    const pipeline = redis.pipeline()
    for (let i = 0; i < due; i++) pipeline.xadd(plan.target.key, '*', ...fields)
    pipeline.exec().then(
      (replies) => {
        for (const [error] of replies ?? []) error ? errors++ : answered++
      },
      () => {
        errors += due
      },
    )
    return due
  }
  const sent = await pace(count, lengthMs, emit, () => stopped)
  const until = performance.now() + 10_000
  while (answered + errors < sent && !stopped && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const used = process.threadCpuUsage(cpu)
  say({ type: 'done', sent, answered, refused: 0, errors, cpuUs: used.user + used.system, canaries: [] })
}

port.on('message', (message: ToNoise) => {
  if (message.type === 'block') void block(message)
  else if (message.type === 'stop') {
    stopped = true
    connections.noise.disconnect()
    connections.placebo.disconnect()
    port.close()
  }
})
say({ type: 'ready' })
