// How Redis is installed: the platform's own package manager, and nothing else. Refuses sudo (the caller prints the
// command instead), and refuses to let a package start its service: we start private servers only.

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

export interface PackageManager {
  program: string
  needsRoot: boolean
  commands: readonly (readonly string[])[]
}

/** In the order of trying. Arch has no redis package any more; valkey-server serves as well. */
export const packageManagers: readonly PackageManager[] = [
  {
    program: 'apt-get',
    needsRoot: true,
    commands: [
      ['apt-get', 'update'],
      ['apt-get', 'install', '-y', '--no-install-recommends', 'redis-server'],
    ],
  },
  { program: 'dnf', needsRoot: true, commands: [['dnf', 'install', '-y', 'redis']] },
  { program: 'apk', needsRoot: true, commands: [['apk', 'add', 'redis']] },
  { program: 'pacman', needsRoot: true, commands: [['pacman', '-Sy', '--noconfirm', '--needed', 'valkey']] },
  { program: 'brew', needsRoot: false, commands: [['brew', 'install', 'redis']] },
]

export function commandText({ commands }: PackageManager): string {
  return commands.map((command) => command.join(' ')).join(' && ')
}

/** What Debian's package scripts ask before they start or restart a service. */
export const POLICY_FILE = '/usr/sbin/policy-rc.d'
const MARK = '# partywall doctor: no service is started while Redis is being installed'

/**
 * Runs some work during which Debian's packages start no service. A policy that is already there is the administrator's
 * and stays as it is. The file goes again at the end and on Ctrl-C; one that a SIGKILL left behind is known by its mark.
 */
export function withoutServices<T>(work: () => T, policyFile: string = POLICY_FILE): T {
  if (existsSync(policyFile) && !readFileSync(policyFile, 'utf8').includes(MARK)) return work()
  const remove = () => rmSync(policyFile, { force: true })
  const interrupted = () => {
    remove()
    process.exit(130)
  }
  writeFileSync(policyFile, `#!/bin/sh\n${MARK}\nexit 101\n`)
  chmodSync(policyFile, 0o755)
  process.on('exit', remove)
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', interrupted)
  try {
    return work()
  } finally {
    remove()
    process.off('exit', remove)
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
  }
}
