// Tail probabilities of the normal, Student t, beta and binomial distributions, precise to about 7 digits even far out.
// No sampling and no state; whoever wants a quantile bisects.

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** ln Γ(x) for x > 0; Lanczos' approximation with g = 7 and nine terms. */
function lnGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x)
  const base = x - 1 + 7.5
  let sum = LANCZOS[0] ?? 0
  for (let i = 1; i < LANCZOS.length; i++) sum += (LANCZOS[i] ?? 0) / (x - 1 + i)
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum)
}

const TINY = 1e-300

/** The continued fraction of the incomplete beta function, by Lentz' method (Abramowitz and Stegun 26.5.8). */
function betaFraction(x: number, a: number, b: number): number {
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let m = 1; m <= 20_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    value *= d * c
    if (Math.abs(d * c - 1) < 1e-14) return value
  }
  throw new Error(`incomplete beta did not converge for x=${x} a=${a} b=${b}`)
}

function nonZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x
}

/** Regularised incomplete beta I_x(a, b), 0..1, for a, b > 0 and x in 0..1. */
export function betaCumulative(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  // The fraction converges fast on this side of the mean only; the other side is its mirror image.
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a
  return 1 - (front * betaFraction(1 - x, b, a)) / b
}

/** P(T ≥ t) for Student's t with `freedom` ≥ 1 degrees of freedom. */
export function studentUpperTail(t: number, freedom: number): number {
  const half = 0.5 * betaCumulative(freedom / (freedom + t * t), freedom / 2, 0.5)
  return t >= 0 ? half : 1 - half
}

/** P(Bin(n, p) ≥ j) for whole 0 ≤ j ≤ n; the identity with the beta distribution. */
export function binomialAtLeast(j: number, n: number, p: number): number {
  if (j <= 0) return 1
  if (j > n) return 0
  return betaCumulative(p, j, n - j + 1)
}

const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
]

/** P(Z ≥ z) for a standard normal Z; relative error below 2e-7 (Chebyshev fit of erfc, Numerical Recipes 6.2). */
export function normalUpperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.5 * x)
  let polynomial = 0
  for (let i = ERFC.length - 1; i >= 0; i--) polynomial = polynomial * t + (ERFC[i] ?? 0)
  const tail = 0.5 * t * Math.exp(-x * x + polynomial)
  return z >= 0 ? tail : 1 - tail
}
