// What of our environment a process of ours sees. Refuses to pass on everything: a credential may be among it.

/** Node's own cache of compiled code, for whoever has set it: a process then starts in half the time. */
const ALWAYS = ['NODE_COMPILE_CACHE']

export function passedOn(names: readonly string[]): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {}
  for (const name of [...ALWAYS, ...names]) if (process.env[name] !== undefined) env[name] = process.env[name]
  return env
}
