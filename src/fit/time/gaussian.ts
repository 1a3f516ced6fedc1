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

/** Columns of L's inverse, each in a row of its own: memory is walked in order. */
function columnsOf(lower: Float64Array, n: number): Float64Array {
  const columns = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    columns[j * n + j] = 1 / (lower[j * n + j] ?? 1);
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= (lower[i * n + k] ?? 0) * (columns[j * n + k] ?? 0);
      columns[j * n + i] = sum / (lower[i * n + i] ?? 1);
    }
  }
  return columns;
}

/** Of the inverse of L Lᵀ, what stands in rows and columns of these members; row-major. */
function blockOf(columns: Float64Array, n: number, members: readonly number[]): Float64Array {
  const m = members.length;
  const block = new Float64Array(m * m);
  for (let a = 0; a < m; a++)
    for (let b = 0; b <= a; b++) {
      const [i, j] = [members[a] ?? 0, members[b] ?? 0];
      let sum = 0;
      for (let k = Math.max(i, j); k < n; k++) sum += (columns[i * n + k] ?? 0) * (columns[j * n + k] ?? 0);
      block[a * m + b] = sum;
      block[b * m + a] = sum;
    }
  return block;
}

/** The inverse of L Lᵀ. */
export const inverse = (lower: Float64Array, n: number): Float64Array =>
  blockOf(
    columnsOf(lower, n),
    n,
    Array.from({ length: n }, (_, i) => i),
  );

/** A system of equations that is solved for any rows left out, without solving it anew: its inverse, and the weights of its values. */
export interface Solved {
  readonly n: number;
  readonly inverse: Float64Array;
  readonly weights: Float64Array;
  /** Rows that go together. */
  readonly groups: readonly (readonly number[])[];
}

export function solved(
  kernel: Kernel,
  points: readonly Point[],
  values: readonly number[],
  groups: readonly string[],
): Solved | undefined {
  const n = points.length;
  const lower = cholesky(gram(kernel, points), n);
  if (lower === undefined) return undefined;
  const members = new Map<string, number[]>();
  groups.forEach((group, i) => {
    const list = members.get(group);
    if (list) list.push(i);
    else members.set(group, [i]);
  });
  return { n, inverse: inverse(lower, n), weights: solve(lower, n, values), groups: [...members.values()] };
}

/** Rows that the others contradict by more deviations than this count as if they were measured with that much noise. */
const DOUBT = 2;

export interface Taught {
  /** 0 at rows that were left out. */
  readonly weights: Float64Array;
  /** Variance beyond the noise, of each row. */
  readonly doubts: Float64Array;
}

/**
 * Weights of the rows besides those left out. A published figure that all other models contradict teaches less: how much is told from
 * the rows that remain, so that what is left out has no say in it.
 */
export function taught(
  { n, inverse: k, weights, groups }: Solved,
  without: readonly number[] = [],
  limit = DOUBT,
): Taught | undefined {
  // Inverse and weights without rows: K^-1 - K^-1[:,g] (K^-1[g,g])^-1 K^-1[g,:].
  const m = without.length;
  const block = new Float64Array(m * m);
  without.forEach((i, a) => without.forEach((j, b) => (block[a * m + b] = k[i * n + j] ?? 0)));
  const small = cholesky(block, m);
  if (small === undefined) return undefined;
  const share = solve(
    small,
    m,
    without.map((i) => weights[i] ?? 0),
  );
  const back = inverse(small, m);
  const gone = new Set(without);
  const left = Float64Array.from(weights, (weight, i) => {
    if (gone.has(i)) return 0;
    let value = weight;
    for (let a = 0; a < m; a++) value -= (k[i * n + (without[a] ?? 0)] ?? 0) * (share[a] ?? 0);
    return value;
  });
  const across = without.map((_, a) => {
    const row = new Float64Array(n);
    for (let j = 0; j < n; j++)
      for (let b = 0; b < m; b++) row[j] = (row[j] ?? 0) + (back[a * m + b] ?? 0) * (k[j * n + (without[b] ?? 0)] ?? 0);
    return row;
  });
  const entry = (i: number, j: number): number => {
    let value = k[i * n + j] ?? 0;
    for (let a = 0; a < m; a++) value -= (k[i * n + (without[a] ?? 0)] ?? 0) * (across[a]?.[j] ?? 0);
    return value;
  };
  const doubts = new Float64Array(n);
  const doubted: number[] = [];
  for (const group of groups) {
    const own = m === 0 ? group : group.filter((i) => !gone.has(i));
    const told = leftOut(own, entry, left);
    if (told === undefined) return undefined;
    own.forEach((i, at) => {
      const doubt = ((told.residual[at] ?? 0) / limit) ** 2 - (told.variance[at] ?? 0);
      if (doubt <= 0) return;
      doubts[i] = doubt;
      doubted.push(i);
    });
  }
  const r = doubted.length;
  if (r === 0) return { weights: left, doubts };
  // Noise on some rows is a change of few ranks (Woodbury).
  const columns = doubted.map((j) => Float64Array.from(left, (_, i) => (gone.has(i) ? 0 : entry(i, j))));
  const change = new Float64Array(r * r);
  doubted.forEach((i, a) => {
    columns.forEach((column, b) => (change[a * r + b] = column[i] ?? 0));
    change[a * r + a] = (change[a * r + a] ?? 0) + 1 / (doubts[i] ?? 1);
  });
  const lower = cholesky(change, r);
  if (lower === undefined) return undefined;
  const moved = solve(
    lower,
    r,
    doubted.map((i) => left[i] ?? 0),
  );
  return {
    weights: left.map((weight, i) =>
      columns.reduce((sum, column, b) => sum - (column[i] ?? 0) * (moved[b] ?? 0), weight),
    ),
    doubts,
  };
}

/** What the rest says of rows that go together, from their block of the inverse: how far off, and the variance of that. */
function leftOut(
  members: readonly number[],
  entry: (i: number, j: number) => number,
  weights: Float64Array,
): { residual: Float64Array; variance: Float64Array } | undefined {
  const m = members.length;
  const block = new Float64Array(m * m);
  members.forEach((i, a) => members.forEach((j, b) => (block[a * m + b] = entry(i, j))));
  const small = cholesky(block, m);
  if (small === undefined) return undefined;
  const residual = solve(
    small,
    m,
    members.map((i) => weights[i] ?? 0),
  );
  const spread = inverse(small, m);
  return { residual, variance: Float64Array.from(members, (_, a) => spread[a * m + a] ?? 1) };
}

export interface LeftOut {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/**
 * Each group's values as the other groups predict them, at once for all: doubts are those of all rows together, so that for a look at how
 * right a kernel is, not at how far off a prediction is. Exact where nothing is doubted (`limit` Infinity).
 */
export function leaveOut(
  kernel: Kernel,
  points: readonly Point[],
  values: readonly number[],
  groups: readonly string[],
  limit = DOUBT,
): LeftOut | undefined {
  const system = solved(kernel, points, values, groups);
  const all = system && taught(system, [], limit);
  if (system === undefined || all === undefined) return undefined;
  const { n, inverse: k } = system;
  const doubted = Array.from({ length: n }, (_, i) => i).filter((i) => (all.doubts[i] ?? 0) > 0);
  const r = doubted.length;
  const change = new Float64Array(r * r);
  doubted.forEach((i, a) => {
    doubted.forEach((j, b) => (change[a * r + b] = k[i * n + j] ?? 0));
    change[a * r + a] = (change[a * r + a] ?? 0) + 1 / (all.doubts[i] ?? 1);
  });
  const lower = cholesky(change, r);
  if (lower === undefined) return undefined;
  const across: Float64Array[] = [];
  for (let j = 0; j < n; j++)
    across.push(
      solve(
        lower,
        r,
        doubted.map((i) => k[j * n + i] ?? 0),
      ),
    );
  const entry = (i: number, j: number): number => {
    let value = k[i * n + j] ?? 0;
    for (let a = 0; a < r; a++) value -= (k[i * n + (doubted[a] ?? 0)] ?? 0) * (across[j]?.[a] ?? 0);
    return value;
  };
  const [mean, deviation] = [new Float64Array(n), new Float64Array(n)];
  for (const members of system.groups) {
    const told = leftOut(members, entry, all.weights);
    if (told === undefined) return undefined;
    members.forEach((i, at) => {
      mean[i] = (values[i] ?? 0) - (told.residual[at] ?? 0);
      deviation[i] = Math.sqrt(Math.max(kernel.noise, (told.variance[at] ?? 1) - (all.doubts[i] ?? 0)));
    });
  }
  return { mean, deviation };
}

/** What rows say of a point. */
export function weighted(kernel: Kernel, asked: Point, points: readonly Point[], weights: Float64Array): number {
  let sum = 0;
  points.forEach((point, i) => {
    const weight = weights[i] ?? 0;
    if (weight !== 0) sum += covariance(kernel, asked, point) * weight;
  });
  return sum;
}
