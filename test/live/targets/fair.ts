// The fair server as a target in TypeScript: its answer is the completion. Its port and tokens come from the environment.

import { defineTarget } from '../../../harness/index.ts'

export default defineTarget(() => {
  const quiet = ['a', 'b', 'c', 'd']
  return {
    name: 'fair server',
    provision({ label, stepMs }) {
      const id = label === 'noisy' ? 'noisy' : (quiet.shift() ?? 'none')
      const headers = { authorization: `Bearer ${process.env[`TOKEN_${id[0]?.toUpperCase()}`]}` }
      const body = JSON.stringify({ input: { canary: '{{canary}}' }, ms: label === 'noisy' ? 10 : stepMs })
      return {
        label,
        id,
        origin: `http://127.0.0.1:${process.env.FAIR_PORT}`,
        stepMs,
        start: { method: 'POST', path: '/jobs', headers: { ...headers, 'content-type': 'application/json' }, body },
        startIdAt: 'id',
        completion: { by: 'response' },
        read: { method: 'GET', path: '/jobs/{id}', headers },
        list: { method: 'GET', path: '/jobs', headers },
      }
    },
  }
})
