// The control process: a hiccup meter and nothing else. It stalls when the machine stalls, whoever caused it.
// On each line of input it answers with the tally since the last; it ends with its input.

import { startHiccupMeter } from './hiccup.ts'

const meter = startHiccupMeter()
process.stdin.on('data', () => process.stdout.write(`${JSON.stringify(meter.take())}\n`))
process.stdin.on('end', () => process.exit(0))
