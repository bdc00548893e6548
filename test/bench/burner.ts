// Keeps one core busy for so many seconds, as a foreign process would. Refuses to outlive who started it: when its stdin
// ends, it does.

const endMs = performance.now() + Number(process.argv[2] ?? 1) * 1000
const SLICE_MS = 20

process.stdin.resume().once('close', () => process.exit(0))

function burn(): void {
  const sliceMs = performance.now() + SLICE_MS
  while (performance.now() < sliceMs);
  if (performance.now() < endMs) setImmediate(burn)
  else process.exit(0)
}
burn()
