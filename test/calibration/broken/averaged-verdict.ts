// H9: judges that average over the tenants, so that one who is badly off disappears among those who are well.

import type { TenantWindow } from '../../../harness/evidence/types.ts'
import { judge } from '../../../harness/verdict/judge.ts'
import type { JudgeInput } from '../../../harness/verdict/types.ts'
import type { Play } from '../../run/fake-crew.ts'
import { type Broken, instead, varied } from './broken.ts'

/** Of the last tenant's operations every 25th takes 300 ms, which the SLO does not allow: 1 % of everybody's. */
const oneSlow: Play = { fate: (us, tenant) => (tenant === 3 && Math.floor(us / 16_000) % 25 === 0 ? 300 : varied(us)) }

const sum = (windows: readonly TenantWindow[], of: 'offered' | 'sent' | 'ok' | 'failed' | 'unfinished') =>
  windows.reduce((total, window) => total + window[of], 0)

function pooled(windows: readonly TenantWindow[]): TenantWindow {
  const of = (what: Parameters<typeof sum>[1]) => sum(windows, what)
  const responseUs = windows.flatMap((window) => window.responseUs).sort((x, y) => x[0] - y[0])
  return {
    tenant: 'everybody',
    offered: of('offered'),
    sent: of('sent'),
    ok: of('ok'),
    failed: of('failed'),
    unfinished: of('unfinished'),
    responseUs,
  }
}

const asOne = (input: JudgeInput): JudgeInput => ({
  ...input,
  quietTenants: ['everybody'],
  blocks: input.blocks.map((block) => ({ ...block, tenants: [pooled(block.tenants)] })),
})

export const averagedVerdict: Broken[] = [
  {
    id: 'H9',
    what: 'a judge that takes all tenants for one',
    play: oneSlow,
    twin: 'fail',
    instruments: () => instead({ judge: (input) => judge(asOne(input)) }),
    says: 'the verdict is not stood by: it judges 1 tenants of 4 quiet ones, and quiet-1, quiet-2, quiet-3, quiet-4 is not among them',
  },
  {
    id: 'H9',
    what: 'a judge that goes by most of the tenants',
    play: oneSlow,
    twin: 'fail',
    instruments: () => instead({ judge: (input) => ({ ...judge(input), outcome: 'pass' }) }),
    says: 'the verdict is not stood by: it is pass, though the SLO of quiet-4 is fail',
  },
  {
    id: 'H9',
    what: "a judge that gives each tenant everybody's times",
    play: oneSlow,
    twin: 'fail',
    instruments: () =>
      instead({
        judge: (input) => {
          const [everybody] = judge(asOne(input)).tenants
          const own = judge(input)
          const tenants = own.tenants.map((tenant) => ({ ...tenant, ...everybody, tenant: tenant.tenant }))
          return { ...own, outcome: 'pass', tenants }
        },
      }),
    says: /the verdict is not stood by: quiet-1 under placebo: \d+ samples, where the journal has \d+/,
  },
]
