// A parent for guard.test.ts to kill: starts what a run starts, says what it was, and waits. Refuses to end by itself.

import { openGuard } from '../../harness/stack/guard.ts'

const guard = await openGuard()
const dir = guard.tempDir('test')
const waiting = 'setInterval(() => {}, 1e6)'
// The child starts a child of its own, as a shell does: it must go as well.
const child = guard.spawn(
  process.execPath,
  [
    '-e',
    `const own = require('node:child_process').spawn(process.execPath, ['-e', '${waiting}']);
     console.log(own.pid); ${waiting}`,
  ],
  { stdio: ['ignore', 'pipe', 'ignore'] },
)
child.stdout?.once('data', (text: Buffer) => {
  process.stdout.write(`${JSON.stringify({ dir, pids: [child.pid, Number(String(text))] })}\n`)
})
if (process.argv[2] === 'exit') child.stdout?.once('data', () => setImmediate(() => process.exit(0)))
setInterval(() => {}, 1e6)
