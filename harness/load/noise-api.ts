// A noise maker over the API, in a thread of its own: two floods with the same requests, one at the target and one at the
// placebo sink, of which one works at a time. Which calls it sends, and how, is its plan's affair.

import { parentPort, workerData } from 'node:worker_threads'
import { Canaries } from '../tenants/canary.ts'
import { checkScanner } from '../tenants/scan-check.ts'
import { scannerOf } from '../tenants/scanner.ts'
import { ApiFlood } from './api-flood.ts'
import { playBlock } from './noise-block.ts'
import type { ApiNoisePlan, FromNoise, NoiseOrder, ToNoise } from './noise-messages.ts'

const plan: ApiNoisePlan = workerData
const port = parentPort
if (!port) throw new Error('noise makers run in a worker thread')
const say = (message: FromNoise) => port.postMessage(message)

const canaries = new Canaries(plan.canaryKey)
const scanner = scannerOf(canaries)
const flood = (origin: string) => new ApiFlood({ ...plan, origin, call: plan.target.call }, scanner)
const floods = { noise: flood(plan.target.origin), placebo: flood(plan.sinkOrigin) }
const stop = new AbortController()

async function block(order: NoiseOrder): Promise<void> {
  const played = await playBlock(floods[order.arm], order, stop.signal)
  const seen = floods[order.arm].taken()
  say({ type: 'done', ...played, canaries: order.arm === 'noise' ? seen : [] })
}

port.on('message', (message: ToNoise) => {
  if (message.type === 'block') void block(message)
  else if (message.type === 'modal') say({ type: 'modal', answer: floods.noise.modal() })
  else {
    stop.abort()
    floods.noise.stop()
    floods.placebo.stop()
    port.close()
    setTimeout(() => process.exit(0), 100).unref()
  }
})
say({ type: 'ready', scan: checkScanner(`the ${plan.maker} noise`, scanner, canaries) })
