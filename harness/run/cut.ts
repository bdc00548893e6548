// What cuts a run short: the target's end, or the user's.

/** Why the pairs ended before they were decided or done. */
export class Cut extends Error {
  readonly died: string | null
  constructor(died: string | null) {
    super(died ?? 'interrupted')
    this.died = died
  }
}

export function cutBy(died: Promise<string>, signal: AbortSignal): Promise<never> {
  const cut = new Promise<never>((_, reject) => {
    died.then((reason) => reject(new Cut(reason)))
    const interrupted = () => reject(new Cut(null))
    if (signal.aborted) interrupted()
    else signal.addEventListener('abort', interrupted, { once: true })
  })
  cut.catch(() => {})
  return cut
}
