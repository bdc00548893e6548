// How a measuring thread itself fared: busy share of its event loop, CPU, pauses for garbage. Facts of its own thread only.

import { PerformanceObserver, performance } from 'node:perf_hooks'

/** Since the last take. */
export interface Vitals {
  /** Share of the time in which the event loop was busy, 0..1. */
  loopUtilization: number
  /** CPU of this thread, microseconds. */
  cpuUs: number
  gc: { count: number; maxUs: number; sumUs: number }
}

/** @returns take(): what there was since the last take; stop() */
export function watchVitals(): { take(): Vitals; stop(): void } {
  let gc = { count: 0, maxUs: 0, sumUs: 0 }
  let loop = performance.eventLoopUtilization()
  let cpu = process.threadCpuUsage()
  const add = (pauses: readonly { duration: number }[]) => {
    for (const { duration } of pauses) {
      const us = Math.round(duration * 1000)
      gc = { count: gc.count + 1, maxUs: Math.max(gc.maxUs, us), sumUs: gc.sumUs + us }
    }
  }
  const observer = new PerformanceObserver((list) => add(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  return {
    take: () => {
      add(observer.takeRecords())
      const now = performance.eventLoopUtilization()
      const used = process.threadCpuUsage(cpu)
      const loopUtilization = performance.eventLoopUtilization(now, loop).utilization
      const taken = { loopUtilization, cpuUs: used.user + used.system, gc }
      loop = now
      cpu = process.threadCpuUsage()
      gc = { count: 0, maxUs: 0, sumUs: 0 }
      return taken
    },
    stop: () => observer.disconnect(),
  }
}
