/**
 * Sound at another rate: a sinc as wide as 32 of its zero crossings on each side under a Kaiser window, cut off a little below half
 * of the lower rate, so that what the new rate cannot carry is silent rather than folded back.
 */

/** Zero crossings on each side, of the lower rate. */
const CROSSINGS = 32;
/** Pass band, as part of the lower rate's half: the window's slope fits between it and the half. */
const BAND = 0.94;
/** Kaiser's shape: side lobes 80 dB down. */
const BETA = 8;
/** Phases whose weights are kept: 44.1 kHz to 16 kHz has 160. */
const PHASES_KEPT = 1024;

/** The first `most` samples at the new rate; outside of the sound there is silence. */
export function resample(samples: Float32Array, from: number, to: number, most = Infinity): Float32Array {
  if (from === to) return samples.length <= most ? samples : samples.subarray(0, most);
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const length = Math.min(most, Math.ceil((samples.length * up) / down));
  const out = new Float32Array(length);
  const kept = new Map<number, Float64Array>();
  const cut = BAND * Math.min(1, to / from);
  const reach = Math.ceil(CROSSINGS / cut);
  for (let at = 0; at < length; at++) {
    const whole = Math.floor((at * down) / up);
    const phase = (at * down) % up;
    let weights = kept.get(phase);
    if (weights === undefined) {
      weights = weightsOf(phase / up, cut, reach);
      if (kept.size < PHASES_KEPT) kept.set(phase, weights);
    }
    const start = whole - reach + 1;
    const end = Math.min(2 * reach, samples.length - start);
    let sum = 0;
    for (let i = Math.max(0, -start); i < end; i++) sum += (samples[start + i] ?? 0) * (weights[i] ?? 0);
    out[at] = sum;
  }
  return out;
}

/** Of the samples from `reach - 1` before to `reach` behind a point that lies `phase` behind a sample; they sum to 1. */
function weightsOf(phase: number, cut: number, reach: number): Float64Array {
  const weights = new Float64Array(2 * reach);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const distance = i - reach + 1 - phase;
    const angle = Math.PI * distance * cut;
    const window = bessel(BETA * Math.sqrt(Math.max(0, 1 - (distance / reach) ** 2)));
    const weight = (angle === 0 ? 1 : Math.sin(angle) / angle) * window;
    weights[i] = weight;
    sum += weight;
  }
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] ?? 0) / sum;
  return weights;
}

/** Modified Bessel function of order 0, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
