// How the suite runs: one file after the other, each in a process of its own. The live suites measure tails on machines
// that may have two cores; two of them at a time would disturb each other.

import { defineConfig } from 'vitest/config'

/** A file for the results as JSON, beside the words on the terminal: CI reads its counts there. */
const results = process.env.PARTYWALL_TEST_RESULTS

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    fileParallelism: false,
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    watch: false,
    reporters: results ? ['default', 'json'] : ['default'],
    ...(results ? { outputFile: { json: results } } : {}),
  },
})
