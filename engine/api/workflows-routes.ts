// A tenant's definitions. Refuses names and steps that the engine does not know.

import { z } from 'zod'
import type { Runs } from '../runs.ts'
import { definitionSchema, workflowName } from '../workflow.ts'
import { callerOf } from './authentication.ts'
import { type Route, route } from './route.ts'

const params = z.object({ name: workflowName })
const wrong = { params: 'workflow-invalid', body: 'workflow-invalid' } as const
const named = definitionSchema.extend({ name: z.string() })
/** 64 steps take a few kilobytes. */
const DEFINITION_BYTES_MAX = 64 << 10

export function workflowRoutes(runs: Runs): Route[] {
  return [
    route({
      method: 'PUT',
      path: '/v1/workflows/{name}',
      operationId: 'defineWorkflow',
      what: 'Define a workflow, or define it anew; runs that were claimed before keep the old steps',
      who: 'tenant',
      params,
      wrong,
      body: definitionSchema,
      bodyBytesMax: DEFINITION_BYTES_MAX,
      answer: { status: 200, what: 'The definition', schema: named },
      refuses: ['workflows-full'],
      async handle({ params: { name }, body, request }) {
        await runs.define(callerOf(request).id, name, body)
        return { name, ...body }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/workflows/{name}',
      operationId: 'readWorkflow',
      what: 'One definition',
      who: 'tenant',
      params,
      wrong,
      answer: { status: 200, what: 'The definition', schema: named },
      refuses: ['workflow-unknown'],
      handle: async ({ params: { name }, request }) => ({
        name,
        ...(await runs.definition(callerOf(request).id, name)),
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/workflows',
      operationId: 'listWorkflows',
      what: 'All definitions, by name',
      who: 'tenant',
      answer: { status: 200, what: 'The definitions', schema: z.object({ workflows: z.array(named) }) },
      refuses: [],
      handle: async ({ request }) => ({ workflows: await runs.definitions(callerOf(request).id) }),
    }),
  ]
}
