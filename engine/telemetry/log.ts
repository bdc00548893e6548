// The engine's log: one JSON document a line, with the tenant and the run on every line of a run. Refuses to write what an
// error carries beside its message: a Redis error holds the whole command, arguments and all.

import { type DestinationStream, type Logger, pino } from 'pino'
import { currentContext } from './context.ts'

const KEPT_CHARACTERS = 2000

/** Whatever was thrown. Tokens have a shape of their own; should one ever be in a message, it is not in the log. */
function plain(error: unknown): unknown {
  const text = (value: string | undefined) =>
    value?.slice(0, KEPT_CHARACTERS).replaceAll(/pw_[a-z0-9-]{1,64}_[\w-]{16,64}/g, 'pw_…')
  if (!(error instanceof Error)) return text(String(error))
  const { name, message, stack, cause } = error
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  return { type: name, message: text(message), ...code, stack: text(stack), ...(cause ? { cause: plain(cause) } : {}) }
}

export function openLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, mixin: () => currentContext() ?? {}, serializers: { err: plain } }, destination)
}
