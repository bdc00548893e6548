// The reference engine's seeded defects, as its second door lists them. Asked of a process: the harness does not know
// the engine.

import { execFile } from 'node:child_process'
import { z } from 'zod'
import { engineScript } from './reference-process.ts'

const defectList = z.array(z.object({ name: z.string(), id: z.string(), what: z.string(), promise: z.string() }))
type DefectList = z.infer<typeof defectList>

export async function listDefects(): Promise<DefectList> {
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [engineScript('defects/main'), '--list'], { timeout: 10_000 }, (error, stdout) => {
      error ? reject(new Error('the engine did not list its seeded defects', { cause: error })) : resolve(stdout)
    })
  })
  return defectList.parse(JSON.parse(text))
}
