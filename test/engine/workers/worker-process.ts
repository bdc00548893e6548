// Worker processes for the suites that kill them, and the socket on which they report to the witness. Refuses to leave one
// behind: `stop` ends all that were launched.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Witness } from '../witness.ts'

/** One report: what, whose, which attempt, when, when its claim was asked for, the input. Times are monotonic nanoseconds. */
export type Report = [
  event: 'started' | 'ended',
  tenant: string,
  entryId: string,
  attempt: number,
  atNs: string,
  askedNs: string,
  inputText: string,
]

export interface WorkerProcesses {
  /** What every process is told; see process.ts. */
  launch(more: Record<string, string>): Promise<ChildProcess>
  /** Those that were launched and still live. */
  running(): ChildProcess[]
  stop(): Promise<void>
}

/** What a killed process had open is taken to have ended when its socket closed. */
async function listen(witness: Witness): Promise<{ path: string; close: () => void }> {
  const path = join(tmpdir(), `partywall-witness-${process.pid}-${performance.now()}.sock`)
  let sockets = 0
  const server = createServer((socket) => {
    const worker = `worker-${++sockets}`
    socket.on('error', () => {})
    const lines = createInterface(socket)
    lines.on('line', (line) => {
      const [event, tenant, entryId, attempt, atNs, askedNs, inputText] = JSON.parse(line) as Report
      witness.see(event, tenant, entryId, attempt, BigInt(atNs), { askedNs: BigInt(askedNs), inputText, worker })
    })
    lines.on('close', () => witness.died(worker, process.hrtime.bigint()))
  })
  server.listen(path)
  await once(server, 'listening')
  return { path, close: () => server.close() }
}

export async function workerProcesses(witness: Witness, env: Record<string, string>): Promise<WorkerProcesses> {
  const { path, close } = await listen(witness)
  const children: ChildProcess[] = []
  const alive = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null
  return {
    async launch(more) {
      const file = fileURLToPath(new URL('./process.ts', import.meta.url))
      const child = spawn(process.execPath, [file], {
        env: { ...process.env, WITNESS: path, ...env, ...more },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      children.push(child)
      if (child.stdout) await once(child.stdout, 'data')
      return child
    },
    running: () => children.filter(alive),
    async stop() {
      for (const child of children.filter(alive)) {
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }
      close()
    },
  }
}
