// On whose behalf is this running? Set where a request or a run enters, and carried by the runtime through everything that
// is awaited from there; read by whoever writes a log line. Refuses to be entered without an end: it holds for one function.

import { AsyncLocalStorage } from 'node:async_hooks'

export interface Context {
  tenant: string
  run?: string
}

const storage = new AsyncLocalStorage<Context>()

export const inContext = <T>(context: Context, work: () => T): T => storage.run(context, work)

/** Undefined outside a request and a run. */
export const currentContext = (): Context | undefined => storage.getStore()
