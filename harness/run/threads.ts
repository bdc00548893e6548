// The run's threads and the control process, each behind a few typed calls. Starting and asking; no judging.

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ScanCheck } from '../evidence/run.ts'
import type { MakerName } from '../evidence/types.ts'
import { Failure } from '../failure.ts'
import type { Collected, FromGenerator, GeneratorPlan, Subscribed, ToGenerator } from '../load/generator-messages.ts'
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

/** A thread that fails, or ends before it was told to, ends the run: its error is rejected into whoever waits. */
export function failures(worker: Worker, who: string, explained?: (cause: Error) => Error): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    worker.on('error', (cause: Error) => {
      if ('code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY') reject(endedThread(who, cause.message))
      reject(explained?.(cause) ?? new Error(`the ${who} thread failed: ${cause.message}`, { cause }))
    })
    worker.on('exit', (code) => reject(endedThread(who, `exit code ${code}`)))
  })
  failed.catch(() => {})
  return failed
}

function endedThread(who: string, how: string): Failure {
  return new Failure('environment', 'thread-ended', `the ${who} thread ended in mid-run: ${how}`, {
    fix: 'look for a limit on memory or processes, and run again',
  })
}

interface Thread {
  /** Rejects when it fails or ends by itself; never resolves. */
  failed: Promise<never>
}

export interface GeneratorThread extends Thread {
  /** What it found of its own instruments. */
  checks: Pick<Subscribed, 'scan' | 'minted'>
  begin(zeroNs: bigint): void
  collect(fromUs: number, toUs: number, withinMs: number): Promise<Collected>
  stop(): Promise<void>
}

export async function startGenerator(plan: GeneratorPlan, subscribeWithinMs: number): Promise<GeneratorThread> {
  const worker = new Worker(script('load/generator'), { workerData: plan })
  const failed = failures(worker, 'generator')
  const subscribed = Promise.withResolvers<Subscribed>()
  const waiting = new Map<number, (collected: Collected) => void>()
  let requests = 0
  let problem = ''
  worker.on('message', (message: FromGenerator) => {
    if (message.type === 'subscribed') subscribed.resolve(message)
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
  let checks: Subscribed
  try {
    checks = await Promise.race([subscribed.promise, failed])
  } catch (error) {
    await worker.terminate()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return {
    failed,
    checks,
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

export interface NoiseThread extends Thread {
  /** Of the scanner that its answers go through; absent where nothing comes back but replies of Redis. */
  scan?: ScanCheck
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
  const { scan } = await heard<FromNoise, 'ready'>(worker, failed, 'ready')
  return {
    failed,
    ...(scan ? { scan } : {}),
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

export interface SinkThread extends Thread {
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
    failed,
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
export interface Control {
  /** The tally since the last one; null when the control process does not answer in time, or is gone. */
  take(withinMs: number): Promise<HiccupTally | null>
}

export function startControl(guard: Pick<Guard, 'spawn'>): Control {
  const child = guard.spawn(process.execPath, [fileURLToPath(script('recording/control'))], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const stdout = child.stdout as Readable
  // In the order of the questions: an answer that came too late must not be taken for the next one.
  const asked: Array<(tally: HiccupTally | null) => void> = []
  let gone = false
  const end = () => {
    gone = true
    for (const answer of asked.splice(0)) answer(null)
  }
  child.on('error', end)
  child.on('exit', end)
  child.stdin?.on('error', () => {}) // told by its exit
  createInterface({ input: stdout }).on('line', (line) => asked.shift()?.(JSON.parse(line)))
  return {
    take: (withinMs) =>
      new Promise((resolve) => {
        if (gone) return resolve(null)
        const timer = setTimeout(resolve, withinMs, null)
        asked.push((tally) => {
          clearTimeout(timer)
          resolve(tally)
        })
        child.stdin?.write('\n')
      }),
  }
}
