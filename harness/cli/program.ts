// The command line: one file per command; this one parses and turns whatever happens into an exit code. Refuses what it
// does not know with the choices, an option without its value, and an option given twice.

import yargs, { type Argv } from 'yargs'
import { exitCodes, Failure } from '../failure.ts'

const json = { type: 'boolean', default: false, describe: 'one JSON document on stdout' } as const
const redis = { type: 'string', describe: 'use this Redis instead of a private one (loopback only)' } as const

/** Every command with its options: for yargs, and for the choices in a refusal. */
const options = {
  run: {
    target: {
      type: 'string',
      default: 'reference',
      describe: 'reference, the .yaml file of an http or redis-streams target, or a .ts or .js module that exports one',
    },
    defect: { type: 'string', describe: 'break the reference engine on purpose (see `list`)' },
    redis,
    out: { type: 'string', describe: "the run's folder (default: partywall-runs/<utc>-<scenario>)" },
    seed: { type: 'string', describe: 'run seed: repeats schedule and order of the arms' },
    budget: { type: 'string', describe: 'measured time at most, for instance 60s' },
    'dry-run': { type: 'boolean', default: false, describe: 'print what would be sent at most, and send nothing' },
    json,
  },
  calibrate: {
    only: { type: 'string', describe: 'ids or names from `list`, with commas between: M30,stale-cap' },
    out: { type: 'string', describe: 'the folder (default: partywall-runs/<utc>-calibration)' },
    json,
  },
  judge: { json },
  compare: { json },
  engine: {
    port: { type: 'string', default: '0', describe: 'port on 127.0.0.1; 0 takes a free one' },
    workers: { type: 'string', default: '0', describe: 'worker processes beside the one that serves' },
    slots: { type: 'string', describe: "runs at the same time in each process (default: the engine's own, 16)" },
    redis,
    'admin-token-file': {
      type: 'string',
      describe: 'holds the admin token, or gets a new one; otherwise PARTYWALL_ADMIN_TOKEN, or a new one',
    },
    json,
  },
  doctor: {
    fix: { type: 'boolean', default: false, describe: 'install what is missing' },
    yes: { type: 'boolean', default: false, describe: 'do not ask' },
    json,
  },
  list: { json },
} as const

type Command = keyof typeof options

/** The commands, each with what it takes and what it calls. @param ended told the command's exit code */
function withCommands(parser: Argv, ended: (code: number) => void): Argv {
  return parser
    .command(
      'run [scenario]',
      'run a scenario against a target and judge it (default: noisy-neighbour)',
      (y) => {
        const describe = 'a name from `list`, a .yaml file, or a .ts or .js module that exports one'
        return y.positional('scenario', { type: 'string', default: 'noisy-neighbour', describe }).options(options.run)
      },
      async (argv) => ended(await (await import('./run.ts')).run(argv)),
    )
    .command(
      'calibrate',
      'run the seeded defects of the reference engine and their clean twins: are they caught, is nothing else?',
      (y) => y.options(options.calibrate),
      async (argv) => ended(await (await import('./calibrate.ts')).calibrateCommand(argv)),
    )
    .command(
      'judge <run>',
      'judge the saved evidence of a run again; the verdict must be the same',
      (y) => {
        const describe = "a run's folder"
        return y.positional('run', { type: 'string', demandOption: true, describe }).options(options.judge)
      },
      async (argv) => ended(await (await import('./judge.ts')).judgeCommand(argv)),
    )
    .command(
      'compare <a> <b>',
      'say what changed from one saved run to another, with an interval',
      (y) =>
        y
          .positional('a', { type: 'string', demandOption: true, describe: "the first run's folder" })
          .positional('b', { type: 'string', demandOption: true, describe: "the second run's folder" })
          .options(options.compare),
      async (argv) => ended(await (await import('./compare.ts')).compareCommand(argv)),
    )
    .command(
      'engine',
      'serve the reference engine until it is told to stop (Ctrl-C, SIGTERM)',
      (y) => y.options(options.engine),
      async (argv) => ended(await (await import('./engine.ts')).engine(argv)),
    )
    .command(
      'doctor',
      'say what is installed and what is missing; --fix installs it',
      (y) => y.options(options.doctor),
      async (argv) => ended(await (await import('./doctor.ts')).doctor(argv)),
    )
    .command(
      'list',
      'list scenarios, probes and seeded defects',
      (y) => y.options(options.list),
      async (argv) => ended(await (await import('./list.ts')).list(argv)),
    )
}

/** @returns the exit code. Never throws. */
export async function main(args: string[]): Promise<number> {
  let code: number = exitCodes.usage
  const parser = withCommands(yargs(args), (ended) => {
    code = ended
  })
    .scriptName('partywall')
    .usage('partywall <command>\n\nLoad testing and isolation verification for multi-tenant workflow engines.')
    // An option is what is listed, and nothing derived from it: no --no-redis, no --out.folder.
    .parserConfiguration({ 'boolean-negation': false, 'dot-notation': false, 'camel-case-expansion': false })
    .demandCommand(1, 'which command?')
    .strict()
    .check((argv) => {
      refuseRepeated(args)
      refuseOddValues(argv, args)
      return true
    })
    .help()
    .version('0.1.0')
    .wrap(110)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Failure('usage', 'command-line', inWords(message, args), { fix: choices(args) })
    })
    .epilogue('Exit codes: 0 pass, 1 fail, 2 usage, 3 inconclusive, 4 environment, 130 interrupted.')
  if (args[0] === 'help' || args.includes('--help') || args.includes('--version')) code = exitCodes.pass
  try {
    await parser.parseAsync()
    return code
  } catch (error) {
    return explain(error)
  }
}

const OPTION = /^--([^=]+)/

/** Of an option given twice the parser would make a list, or take the last. */
function refuseRepeated(args: readonly string[]): void {
  const names = args.flatMap((word) => OPTION.exec(word)?.[1] ?? [])
  const again = names.find((name, i) => names.indexOf(name) !== i)
  if (again === undefined) return
  throw new Failure('usage', 'option-twice', `--${again} is given more than once`, { fix: 'give it once' })
}

/** An option without its value comes as an empty text, a word after the = of a yes-or-no option as no. */
function refuseOddValues(argv: Record<string, unknown>, args: readonly string[]): void {
  for (const [name, value] of Object.entries(argv)) {
    if (value === '') {
      const fix = `give one, as in --${name} VALUE, or leave --${name} out`
      throw new Failure('usage', 'option-empty', `--${name} has no value`, { fix })
    }
    if (typeof value === 'boolean' && args.some((word) => word.startsWith(`--${name}=`))) {
      throw new Failure('usage', 'option-value', `--${name} takes no value`, { fix: `give --${name}, or leave it out` })
    }
  }
}

const isCommand = (word: string): word is Command => Object.hasOwn(options, word)

/** The parser's words, but for the one sentence of its that names nothing. */
function inWords(message: string, args: readonly string[]): string {
  const command = args.find(isCommand)
  return message.startsWith('Not enough') && command === 'judge'
    ? "judge wants a run's folder, as in: partywall judge RUN"
    : message
}

/** What could have been given where something was that is not known. */
function choices(args: readonly string[]): string {
  const command = args.find(isCommand)
  if (command === undefined) return `commands: ${Object.keys(options).join(', ')}; see \`partywall --help\``
  const names = Object.keys(options[command]).map((name) => `--${name}`)
  return `options of ${command}: ${names.join(', ')}; see \`partywall ${command} --help\``
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
