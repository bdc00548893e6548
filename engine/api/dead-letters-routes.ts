// What could not be run: read it, mend the cause, start it again. Refuses to move a letter into any tenant but the one
// that it came from: the owner is part of its id, and no route takes another.

import { z } from 'zod'
import { EngineError } from '../errors.ts'
import type { DeadLetter, Queue } from '../queue/queue.ts'
import type { TenantId } from '../tenant.ts'
import { runIdOf } from '../workflow.ts'
import { callerOf } from './authentication.ts'
import type { Drain } from './drain.ts'
import { type Route, route } from './route.ts'
import { refusalError, startedShape } from './runs-routes.ts'
import { pageOf, pageQuery } from './shapes.ts'

const letterShape = z.object({
  id: z.string(),
  run: z.string().meta({ description: 'The run that it was, or would have become' }),
  reason: z.string(),
  atMs: z.number(),
  workflow: z.string(),
  input: z.string().meta({ description: 'As it came: it need not be JSON' }),
  cut: z.boolean().meta({ description: 'The input was longer than maxPayloadBytes; what is kept is its beginning' }),
  fields: z.array(z.tuple([z.string(), z.string()])).meta({
    description: 'What else the entry held, its `key` among it: name and value; as many bytes as of the input',
  }),
})

export const letterView = (tenant: TenantId, { id, entryId, inputText, ...said }: DeadLetter) => ({
  id: `dead_${tenant}_${id}`,
  run: runIdOf(tenant, entryId),
  ...said,
  input: inputText,
})

function letterIdOf(tenant: TenantId, id: string): string | null {
  const prefix = `dead_${tenant}_`
  return id.startsWith(prefix) ? id.slice(prefix.length) : null
}

export function deadLetterRoutes({ queue, drain }: { queue: Queue; drain: Drain }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/dead-letters',
      operationId: 'listDeadLetters',
      what: 'The tenant’s dead letters, oldest first',
      who: 'tenant',
      query: pageQuery,
      answer: {
        status: 200,
        what: 'A page; the cursor of the next one is null at the end',
        schema: pageOf('deadLetters', letterShape),
      },
      refuses: ['cursor-invalid'],
      async handle({ query: { cursor, limit }, request }) {
        const { id, cursors } = callerOf(request)
        const after = cursor === undefined ? null : cursors.open('dead-letters', cursor)
        const letters = await queue.deadLetters(id, after, limit)
        // A page may be cut by its bytes: whether something follows is not told by its length.
        const seen = letters.at(-1)
        const last = seen && (await queue.deadLetters(id, seen.id, 1)).length > 0 ? seen : undefined
        return {
          deadLetters: letters.map((letter) => letterView(id, letter)),
          cursor: last ? cursors.bind('dead-letters', last.id) : null,
        }
      },
    }),
    route({
      method: 'POST',
      path: '/v1/dead-letters/{id}/redrive',
      operationId: 'redriveDeadLetter',
      what: 'Start it again, once, in the tenant that it came from, charged like any start',
      who: 'tenant',
      params: z.object({ id: z.string() }),
      answer: { status: 202, what: 'Admitted, as a new run', schema: startedShape },
      refuses: [
        'dead-letter-unknown',
        'dead-letter-unfit',
        'tenant-suspended',
        'workflow-unknown',
        'rate-limited',
        'queue-full',
        'engine-draining',
      ],
      early: () => drain.refuseIfBegun(),
      async handle({ params, request }) {
        const { id } = callerOf(request)
        const letter = letterIdOf(id, params.id)
        const redriven = letter === null ? { state: 'missing' as const } : await queue.redrive(id, letter)
        switch (redriven.state) {
          case 'admitted':
            return { id: runIdOf(id, redriven.entryId), status: 'queued' }
          case 'missing':
            throw new EngineError('dead-letter-unknown')
          case 'unfit':
            throw new EngineError('dead-letter-unfit', `it would end as ${redriven.reason}`)
          default:
            throw refusalError(redriven)
        }
      },
    }),
  ]
}
