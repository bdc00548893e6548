// Seeded random numbers (sfc32, public domain by Chris Doty-Humphrey), so that a run can be repeated from its run seed.
// Not for secrets.

export type Random = () => number

/** 32-bit FNV-1a of a text, to derive independent streams from one run seed. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** Uniform numbers in [0, 1). The same run seed and purpose always give the same sequence. */
export function randomFor(runSeed: number, purpose: string): Random {
  let a = hash(`${runSeed}/a/${purpose}`)
  let b = hash(`${runSeed}/b/${purpose}`)
  let c = hash(`${runSeed}/c/${purpose}`)
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  for (let i = 0; i < 16; i++) next()
  return next
}
