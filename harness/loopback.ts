// Load goes to this machine only: what counts as this machine, for every address that a user may name.

import { isIPv4 } from 'node:net'

/** @param hostname as `URL` gives it */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
}

/** Why a Redis may not be named like this: no URL of one, with a query or fragment, or elsewhere. */
export type RedisUrlFault = 'no-url' | 'options' | 'elsewhere'

/** The text itself is never to be repeated: it may hold a password. @returns the URL, or what is wrong with it */
export function redisUrl(text: string): { url: URL } | { fault: RedisUrlFault; hostname: string } {
  const url = URL.parse(text)
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return { fault: 'no-url', hostname: '' }
  const { hostname } = url
  // The client takes its options from the query, the host among them: it could lead elsewhere.
  if (url.search !== '' || url.hash !== '') return { fault: 'options', hostname }
  return isLoopback(hostname) ? { url } : { fault: 'elsewhere', hostname }
}
