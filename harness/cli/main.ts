#!/usr/bin/env node
// The bin. Its first lines check Node's version before anything else is imported.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    `partywall needs Node 22.22 or newer; this is ${process.versions.node}. Use npm run or npx, which bring Node 24.\n`,
  )
  process.exit(4)
}
const { main } = await import('./program.ts')
process.exitCode = await main(process.argv.slice(2))
// All is cleaned and said by now. A socket that somebody forgot must not hold up a user's CI job.
setTimeout(() => process.exit(), 3000).unref()
