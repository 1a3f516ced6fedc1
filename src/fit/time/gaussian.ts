/**
 * Gaussian process: the logarithm of a time as a smooth function of what a model is like, per device and yet learned from its sisters.
 * Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006: prediction 2.2, leaving rows out without refitting 5.4.2.
 */

/** What a row is compared by. `x`: features, already scaled; `model`: rows of one model go together. */
export interface Point {
  readonly setting: number;
  readonly x: readonly number[];
  readonly family: string | undefined;
  readonly model: string | undefined;
}

/** Variances of the parts (constant, linear, smooth, within a family, of one model, noise), how much of each all settings share, lengths. */
export interface Kernel {
  readonly linear: number;
  readonly smooth: number;
  readonly family: number;
  readonly familyLinear: number;
  readonly familySmooth: number;
  readonly model: number;
  readonly noise: number;
  readonly length: number;
  readonly familyLength: number;
  /** 0: every setting for itself; 1: all alike. */
  readonly constantShared: number;
  readonly linearShared: number;
  readonly smoothShared: number;
  readonly familyShared: number;
  /** Weight of each feature. */
  readonly relevance: readonly number[];
}

const CONSTANT = 4;

/** Asked thousands of times in the first milliseconds of a command, before anything is compiled: nothing is made in it. */
export function covariance(kernel: Kernel, a: Point, b: Point): number {
  const same = a.setting === b.setting;
  const { relevance } = kernel;
  const [ax, bx] = [a.x, b.x];
  let product = 0;
  let distance = 0;
  for (let i = 0; i < relevance.length; i++) {
    const weight = relevance[i] ?? 0;
    const p = (ax[i] ?? 0) * weight;
    const q = (bx[i] ?? 0) * weight;
    product += p * q;
    distance += (p - q) * (p - q);
  }
  const smooth = same ? 1 : kernel.smoothShared;
  let sum =
    CONSTANT * (same ? 1 : kernel.constantShared) +
    kernel.linear * (same ? 1 : kernel.linearShared) * product +
    kernel.smooth * smooth * Math.exp((-0.5 * distance) / (kernel.length * kernel.length));
  if (a.family !== undefined && a.family === b.family) {
    const near = Math.exp((-0.5 * distance) / (kernel.familyLength * kernel.familyLength));
    sum +=
      (same ? 1 : kernel.familyShared) * (kernel.family + kernel.familyLinear * product) +
      smooth * kernel.familySmooth * near;
  }
  if (a.model !== undefined && a.model === b.model) sum += kernel.model;
  return sum;
}

/** Rows by rows, with the noise on the diagonal; row-major. */
export function gram(kernel: Kernel, points: readonly Point[]): Float64Array {
  const n = points.length;
  const matrix = new Float64Array(n * n);
  points.forEach((a, i) => {
    for (let j = 0; j <= i; j++) {
      const b = points[j];
      if (b === undefined) continue;
      const value = covariance(kernel, a, b) + (i === j ? kernel.noise : 0);
      matrix[i * n + j] = value;
      matrix[j * n + i] = value;
    }
  });
  return matrix;
}

/** Lower triangle L with L Lᵀ = the matrix, in its place. undefined: it is not positive definite. */
export function cholesky(matrix: Float64Array, n: number): Float64Array | undefined {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = matrix[i * n + j] ?? 0;
      const [rowI, rowJ] = [i * n, j * n];
      for (let k = 0; k < j; k++) sum -= (matrix[rowI + k] ?? 0) * (matrix[rowJ + k] ?? 0);
      if (i === j) {
        if (!(sum > 0)) return undefined;
        matrix[i * n + j] = Math.sqrt(sum);
      } else matrix[i * n + j] = sum / (matrix[j * n + j] ?? 1);
    }
  }
  return matrix;
}

/** x with L Lᵀ x = b. */
export function solve(lower: Float64Array, n: number, b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    let sum = x[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (lower[i * n + k] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (lower[i * n + i] ?? 1);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i] ?? 0;
    for (let k = i + 1; k < n; k++) sum -= (lower[k * n + i] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (lower[i * n + i] ?? 1);
  }
  return x;
}

/** The inverse of L Lᵀ. */
export function inverse(lower: Float64Array, n: number): Float64Array {
  // Columns of L's inverse, then their products: each element is used in its row, so memory is walked in order.
  const below = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    below[j * n + j] = 1 / (lower[j * n + j] ?? 1);
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= (lower[i * n + k] ?? 0) * (below[j * n + k] ?? 0);
      below[j * n + i] = sum / (lower[i * n + i] ?? 1);
    }
  }
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += (below[i * n + k] ?? 0) * (below[j * n + k] ?? 0);
      result[i * n + j] = sum;
      result[j * n + i] = sum;
    }
  return result;
}

export interface LeftOut {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
  /** Sum of the logarithms of the densities of what was left out. */
  readonly likelihood: number;
}

/** Each group's values as the other groups predict them. */
export function leaveOut(
  kernel: Kernel,
  points: readonly Point[],
  values: readonly number[],
  groups: readonly string[],
): LeftOut | undefined {
  const n = points.length;
  const lower = cholesky(gram(kernel, points), n);
  if (lower === undefined) return undefined;
  const inverted = inverse(lower, n);
  const weights = solve(lower, n, values);
  const [mean, deviation] = [new Float64Array(n), new Float64Array(n)];
  let likelihood = 0;
  const members = new Map<string, number[]>();
  groups.forEach((group, i) => {
    const list = members.get(group);
    if (list) list.push(i);
    else members.set(group, [i]);
  });
  for (const list of members.values()) {
    const m = list.length;
    const block = new Float64Array(m * m);
    list.forEach((i, a) => list.forEach((j, b) => (block[a * m + b] = inverted[i * n + j] ?? 0)));
    const small = cholesky(block, m);
    if (small === undefined) return undefined;
    const residual = solve(
      small,
      m,
      list.map((i) => weights[i] ?? 0),
    );
    const spread = inverse(small, m);
    list.forEach((i, a) => {
      const [r, variance] = [residual[a] ?? 0, spread[a * m + a] ?? 1];
      mean[i] = (values[i] ?? 0) - r;
      deviation[i] = Math.sqrt(variance);
      likelihood -= 0.5 * ((r * r) / variance + Math.log(variance));
    });
  }
  return { mean, deviation, likelihood };
}

/** Weights as they are without some rows, whose own become meaningless: w - K^-1[:,g] (K^-1[g,g])^-1 w[g]. */
export function withoutMembers(lower: Float64Array, weights: Float64Array, members: readonly number[]): Float64Array {
  const [n, m] = [weights.length, members.length];
  const columns = members.map((g) => {
    const unit = new Float64Array(n);
    unit[g] = 1;
    return solve(lower, n, unit);
  });
  const block = new Float64Array(m * m);
  members.forEach((g, a) => columns.forEach((column, b) => (block[a * m + b] = column[g] ?? 0)));
  const small = cholesky(block, m);
  if (small === undefined) return weights;
  const share = solve(
    small,
    m,
    members.map((g) => weights[g] ?? 0),
  );
  return Float64Array.from(weights, (weight, i) =>
    columns.reduce((sum, column, b) => sum - (column[i] ?? 0) * (share[b] ?? 0), weight),
  );
}
