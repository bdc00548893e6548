// Which promises each seeded defect must be seen to break, and where that is asked: a line each. A defect that is not in
// here is an error of ours: it would never be calibrated.

/** `interference` stands for the flood's own verdict on response times. */
export type Expected =
  | { defect: string; in: 'flood'; probe: 'interference' | 'runs-stay-with-tenant' | 'canaries-stay-with-tenant' }
  | { defect: string; in: 'act'; act: string; probe: string }

const act = (defect: string, of: string, probe: string): Expected => ({ defect, in: 'act', act: of, probe })

export const expected: readonly Expected[] = [
  { defect: 'get-unchecked', in: 'flood', probe: 'runs-stay-with-tenant' },
  { defect: 'shared-fifo', in: 'flood', probe: 'interference' },
  act('shared-fifo', 'crowd', 'crowds-do-not-lengthen-waits'),
  act('turns-by-count', 'hogs', 'time-hogs-wait-their-turn'),
  act('fixed-window', 'rate', 'starts-stay-within-rate'),
  act('stale-cap', 'cap', 'runs-stay-within-cap'),
  act('slot-leak', 'crash', 'slots-come-back-after-a-crash'),
  act('double-release', 'cap', 'runs-stay-within-cap'),
  act('endless-compute', 'deadline', 'runs-end-at-their-deadline'),
  act('deaf-steps', 'deadline', 'ended-runs-free-their-slot'),
  act('late-results-count', 'deadline', 'late-results-do-not-count'),
  act('retries-uncharged', 'poison', 'retries-are-charged'),
  act('idle-credit', 'idler', 'idle-time-banks-no-credit'),
  act('newcomer-first', 'newcomer', 'newcomers-do-not-starve-others'),
  act('static-partition', 'alone', 'spare-capacity-is-used'),
  act('weights-ignored', 'weights', 'weights-share-in-proportion'),
  act('weights-inverted', 'weights', 'weights-share-in-proportion'),
  act('group-never-remade', 'lost-group', 'a-lost-group-loses-no-run'),
  act('group-remade-at-end', 'lost-group', 'a-lost-group-loses-no-run'),
  act('fixed-order', 'hogs', 'equal-tenants-get-equal-shares'),
  act('delete-unfenced', 'removal', 'removed-tenants-run-nothing'),
  act('unlabelled-first', 'unlabelled', 'unlabelled-work-never-goes-first'),
  act('export-without-letters', 'export', 'exports-leave-nothing-out'),
  act('export-shared', 'export', 'exports-hold-nothing-foreign'),
  act('oversize-taken', 'payload', 'oversize-payloads-are-refused'),
  act('pending-window', 'pending', 'piles-of-pending-runs-block-nobody'),
]
