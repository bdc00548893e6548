// The run's threads and the control process, each behind a few typed calls. Starting and asking; no judging.

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { MakerName } from '../evidence/types.ts'
import { Failure } from '../failure.ts'
import type { Collected, FromGenerator, GeneratorPlan, ToGenerator } from '../load/generator-messages.ts'
import type {
  ApiNoisePlan,
  FromNoise,
  FromSink,
  ModalAnswer,
  NoiseDone,
  NoiseOrder,
  SinkSeen,
  StreamNoisePlan,
  ToNoise,
  ToSink,
} from '../load/noise-messages.ts'
import type { HiccupTally } from '../recording/hiccup.ts'
import type { Guard } from '../stack/guard.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const script = (path: string) => new URL(`../${path}.${extension}`, import.meta.url)

/** A thread that fails ends the run: its error is rejected into whoever waits. */
function failures(worker: Worker, who: string, explained?: (cause: Error) => Error): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    worker.on('error', (cause: Error) => {
      reject(explained?.(cause) ?? new Error(`the ${who} thread failed`, { cause }))
    })
  })
  failed.catch(() => {})
  return failed
}

export interface GeneratorThread {
  begin(zeroNs: bigint): void
  collect(fromUs: number, toUs: number, withinMs: number): Promise<Collected>
  stop(): Promise<void>
}

export async function startGenerator(plan: GeneratorPlan, subscribeWithinMs: number): Promise<GeneratorThread> {
  const worker = new Worker(script('load/generator'), { workerData: plan })
  const failed = failures(worker, 'generator')
  const subscribed = Promise.withResolvers<void>()
  const waiting = new Map<number, (collected: Collected) => void>()
  let requests = 0
  let problem = ''
  worker.on('message', (message: FromGenerator) => {
    if (message.type === 'subscribed') subscribed.resolve()
    else if (message.type === 'problem') problem = message.what
    else waiting.get(message.request)?.(message)
  })
  const say = (message: ToGenerator) => worker.postMessage(message)
  const timer = setTimeout(() => {
    const why = problem === '' ? '' : `: ${problem}`
    subscribed.reject(
      new Failure(
        'environment',
        'target-events',
        `the target's events could not be subscribed to within ${subscribeWithinMs} ms${why}`,
        { fix: 'look at what the target answers on its event stream' },
      ),
    )
  }, subscribeWithinMs)
  try {
    await Promise.race([subscribed.promise, failed])
  } catch (error) {
    await worker.terminate()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return {
    begin: (zeroNs) => say({ type: 'begin', zeroNs }),
    collect: (fromUs, toUs, withinMs) => {
      const request = requests++
      const answered = new Promise<Collected>((resolve) => waiting.set(request, resolve))
      say({ type: 'collect', request, fromUs, toUs, withinMs })
      return Promise.race([answered, failed])
    },
    stop: () => end(worker, () => say({ type: 'stop' })),
  }
}

/** Waits for one kind of a thread's messages; several of a kind are asked for one after the other. */
async function heard<M extends { type: string }, T extends M['type']>(
  worker: Worker,
  failed: Promise<never>,
  type: T,
): Promise<Extract<M, { type: T }>> {
  const answered = Promise.withResolvers<Extract<M, { type: T }>>()
  const listen = (message: M) => {
    // What the type says has been looked at: the compiler does not narrow by a parameter.
    if (message.type === type) answered.resolve(message as Extract<M, { type: T }>)
  }
  worker.on('message', listen)
  try {
    return await Promise.race([answered.promise, failed])
  } finally {
    worker.off('message', listen)
  }
}

export interface NoiseThread {
  block(order: Omit<NoiseOrder, 'type'>): Promise<NoiseDone>
  modal(): Promise<ModalAnswer | null>
  stop(): Promise<void>
}

export async function startNoise(plan: ApiNoisePlan | StreamNoisePlan): Promise<NoiseThread> {
  const worker = new Worker(script(`load/noise-${plan.kind}`), { workerData: plan })
  const failed = failures(worker, `${plan.maker} noise`, (cause) => {
    const what = `the ${plan.maker} noise cannot be sent to this target: ${cause.message}`
    return new Failure('environment', 'noise-failed', what, {
      fix: 'look at what the target answers under load',
      cause,
    })
  })
  const say = (message: ToNoise) => worker.postMessage(message)
  await heard<FromNoise, 'ready'>(worker, failed, 'ready')
  return {
    block: (order) => {
      const done = heard<FromNoise, 'done'>(worker, failed, 'done')
      say({ type: 'block', ...order })
      return done
    },
    modal: async () => {
      const told = heard<FromNoise, 'modal'>(worker, failed, 'modal')
      say({ type: 'modal' })
      return (await told).answer
    },
    stop: () => end(worker, () => say({ type: 'stop' })),
  }
}

export interface SinkThread {
  /** For each maker over the API a sink of its own. */
  origins: Partial<Record<MakerName, string>>
  redisUrl: string
  answerLike(maker: MakerName, answer: ModalAnswer, delayMs: number): void
  /** What it received since it was asked before. */
  seen(): Promise<SinkSeen>
  stop(): Promise<void>
}

/** @param makers those over the API */
export async function startSink(makers: MakerName[]): Promise<SinkThread> {
  const worker = new Worker(script('load/sink'), { workerData: { makers } })
  const failed = failures(worker, 'placebo sink')
  const say = (message: ToSink) => worker.postMessage(message)
  const { origins, redisUrl } = await heard<FromSink, 'ready'>(worker, failed, 'ready')
  return {
    origins,
    redisUrl,
    answerLike: (maker, answer, delayMs) => say({ type: 'answer', maker, answer, delayMs }),
    seen: async () => {
      const told = heard<FromSink, 'seen'>(worker, failed, 'seen')
      say({ type: 'seen' })
      return (await told).seen
    },
    stop: () => end(worker, () => say({ type: 'stop' })),
  }
}

async function end(worker: Worker, ask: () => void): Promise<void> {
  // A thread that failed is gone already, and its exit will not be told again.
  if (worker.threadId === -1) return
  const gone = once(worker, 'exit')
  ask()
  const killer = setTimeout(() => void worker.terminate(), 1000)
  await gone
  clearTimeout(killer)
}

/** The control process's hiccup meter. */
export function startControl(guard: Guard): { take(): Promise<HiccupTally> } {
  const child = guard.spawn(process.execPath, [fileURLToPath(script('recording/control'))], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const stdout = child.stdout as Readable
  stdout.setEncoding('utf8')
  return {
    take: async () => {
      const line = once(stdout, 'data')
      child.stdin?.write('\n')
      const [text] = await line
      return JSON.parse(String(text))
    },
  }
}
