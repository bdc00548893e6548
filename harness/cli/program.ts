// The command line: one file per command; this one parses and turns whatever happens into an exit code.

import yargs from 'yargs'
import { exitCodes, Failure } from '../failure.ts'

/** @returns the exit code. Never throws. */
export async function main(args: string[]): Promise<number> {
  let code: number = exitCodes.usage
  const parser = yargs(args)
    .scriptName('partywall')
    .usage('partywall <command>\n\nLoad testing and isolation verification for multi-tenant workflow engines.')
    .command(
      'run [scenario]',
      'run a scenario against a target and judge it (default: noisy-neighbour)',
      (y) =>
        y
          .positional('scenario', {
            type: 'string',
            default: 'noisy-neighbour',
            describe: 'a name from `list`, or a .yaml file',
          })
          .option('target', {
            type: 'string',
            default: 'reference',
            describe: 'reference, or the .yaml file of an http target',
          })
          .option('defect', { type: 'string', describe: 'break the reference engine on purpose (see `list`)' })
          .option('redis', { type: 'string', describe: 'use this Redis instead of a private one (loopback only)' })
          .option('out', { type: 'string', describe: "the run's folder (default: partywall-runs/<utc>-<scenario>)" })
          .option('seed', { type: 'string', describe: 'run seed: repeats schedule and order of the arms' })
          .option('budget', { type: 'string', describe: 'measured time at most, for instance 60s' })
          .option('json', { type: 'boolean', default: false, describe: 'one JSON document on stdout' }),
      async (argv) => {
        code = await (await import('./run.ts')).run(argv)
      },
    )
    .command(
      'calibrate',
      'run the seeded defects of the reference engine and their clean twins: are they caught, is nothing else?',
      (y) =>
        y
          .option('only', { type: 'string', describe: 'ids or names from `list`, with commas between: M30,stale-cap' })
          .option('out', { type: 'string', describe: 'the folder (default: partywall-runs/<utc>-calibration)' })
          .option('json', { type: 'boolean', default: false, describe: 'one JSON document on stdout' }),
      async (argv) => {
        code = await (await import('./calibrate.ts')).calibrateCommand(argv)
      },
    )
    .command(
      'judge <run>',
      'judge the saved evidence of a run again; the verdict must be the same',
      (y) =>
        y
          .positional('run', { type: 'string', demandOption: true, describe: "a run's folder" })
          .option('json', { type: 'boolean', default: false, describe: 'one JSON document on stdout' }),
      async (argv) => {
        code = await (await import('./judge.ts')).judgeCommand(argv)
      },
    )
    .command(
      'doctor',
      'say what is installed and what is missing; --fix installs it',
      (y) =>
        y
          .option('fix', { type: 'boolean', default: false, describe: 'install what is missing' })
          .option('yes', { type: 'boolean', default: false, describe: 'do not ask' })
          .option('json', { type: 'boolean', default: false, describe: 'one JSON document on stdout' }),
      async (argv) => {
        code = await (await import('./doctor.ts')).doctor(argv)
      },
    )
    .command(
      'list',
      'list scenarios, probes and seeded defects',
      (y) => y.option('json', { type: 'boolean', default: false, describe: 'one JSON document on stdout' }),
      async (argv) => {
        code = await (await import('./list.ts')).list(argv)
      },
    )
    .demandCommand(1, 'which command?')
    .strict()
    .recommendCommands()
    .help()
    .version('0.1.0')
    .wrap(110)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Failure('usage', 'command-line', message, { fix: 'see `partywall --help`' })
    })
    .epilogue('Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 environment, 130 interrupted.')
  if (args.includes('--help') || args.includes('--version')) code = 0
  try {
    await parser.parseAsync()
    return code
  } catch (error) {
    return explain(error)
  }
}

function explain(error: unknown): number {
  if (error instanceof Failure) {
    process.stderr.write(`partywall: ${error.message}\n${error.fix ? `  ${error.fix}\n` : ''}`)
    return exitCodes[error.kind]
  }
  // Neither usage nor the target: an invariant of ours broke. The stack is what a report of it needs.
  process.stderr.write(
    `partywall: broken invariant, please report this\n${error instanceof Error ? error.stack : String(error)}\n`,
  )
  return exitCodes.environment
}
