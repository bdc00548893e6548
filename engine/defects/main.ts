// The second door: the engine's process with one part replaced. Refuses a name it does not know, with the choices, and
// exit code 2.

import { parseArgs } from 'node:util'
import { serve } from '../serve.ts'
import { defects } from './list.ts'
import { openTrips } from './trips.ts'

function usage(message: string): never {
  const choices = defects.map(({ name }) => name).join(', ')
  process.stderr.write(`partywall engine: ${message}; give --list, or --defect with one of: ${choices}\n`)
  process.exit(2)
}

function asked(): { list?: boolean; defect?: string; workers?: string } {
  try {
    return parseArgs({
      options: { list: { type: 'boolean' }, defect: { type: 'string' }, workers: { type: 'string' } },
    }).values
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
}

const { list, defect: name } = asked()
if (list) {
  process.stdout.write(`${JSON.stringify(defects.map(({ parts: _, ...said }) => said))}\n`)
} else {
  const defect = defects.find((known) => known.name === name)
  if (!defect) usage(name === undefined ? 'no defect was named' : `unknown defect ${name}`)
  const trips = openTrips(defect.name)
  await serve(defect.parts(trips), trips.flush)
}
