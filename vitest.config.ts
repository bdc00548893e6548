// How the suite runs: first what measures no times, four files at once, since most of it waits; then, one file after the
// other, what does. Two measuring suites at a time would disturb each other on a machine with two cores. Each file has a
// process of its own.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Measure tails, rates or shares of time, or run a gate whose verdict rests on them. */
const measuring = [
  'test/live/gate.test.ts',
  'test/live/http.test.ts',
  'test/live/acts.test.ts',
  'test/live/pathology.test.ts',
  'test/load/generator.test.ts',
  'test/recording/hiccup.test.ts',
  'test/engine/queue/fairness.test.ts',
  'test/engine/workers/limits.test.ts',
  'test/engine/workers/producer.test.ts',
]
const moved = measuring.filter((file) => !existsSync(new URL(file, import.meta.url)))
if (moved.length > 0) throw new Error(`vitest.config.ts names ${moved.join(', ')}, which is not there`)

/** A file for the results as JSON, beside the words on the terminal: CI reads its counts there. */
const results = process.env.PARTYWALL_TEST_RESULTS

/** Some hundred processes are started; compiled once, each starts in half the time. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) }

const each = { env, environment: 'node', pool: 'forks', testTimeout: 30_000, hookTimeout: 30_000 } as const
const never = ['test/bench/**', 'node_modules/**']

export default defineConfig({
  test: {
    watch: false,
    reporters: results ? ['default', 'json'] : ['default'],
    ...(results ? { outputFile: { json: results } } : {}),
    projects: [
      {
        test: {
          ...each,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...never, ...measuring],
          // Most of it waits for processes and timeouts: more files at once than cores.
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...each,
          name: 'alone',
          include: measuring,
          exclude: never,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
