/** YOLO-NAS as deployed: re-parameterised CSP stages, a neck that sees four sizes. Deci-AI/super-gradients recipes/arch_params/yolo_nas_*. */

import type { KnownModel, Published } from "../known.ts";
import { makeKnown } from "../make-known.ts";
import { act, add, cat, conv, deconv, maxPool, type Feature, type Net } from "../parts/blocks.ts";
import { own } from "../parts/published.ts";

/** Channels out, blocks, channels within. */
type Stage = readonly [out: number, count: number, hidden: number];

interface Member {
  readonly stages: readonly [Stage, Stage, Stage, Stage];
  /** What each block gives is kept, in the first three stages. */
  readonly kept: boolean;
  readonly neck: readonly [Stage, Stage, Stage, Stage];
  readonly heads: readonly [number, number, number];
}

/* prettier-ignore */
const members = {
  s: {
    stages: [[96, 2, 32], [192, 3, 64], [384, 5, 96], [768, 2, 192]], kept: false,
    neck: [[192, 2, 64], [96, 2, 48], [192, 2, 64], [384, 2, 64]], heads: [64, 128, 256],
  },
} as const satisfies Record<string, Member>;

const relu = { act: "relu" } as const;

function csp(net: Net, x: Feature, [out, count, hidden]: Stage, kept: boolean): Feature {
  const parts = [conv(net, x, hidden, 1, 1, relu)];
  for (let index = 0; index < count; index += 1) {
    const y = parts.at(-1) ?? x;
    parts.push(add(net, y, conv(net, conv(net, y, hidden, 3, 1, relu), hidden, 3, 1, relu)));
  }
  const shown = kept ? parts : parts.slice(-1);
  return conv(net, cat(net, [...shown, conv(net, x, hidden, 1, 1, relu)]), out, 1, 1, relu);
}

function build(net: Net, m: Member, input: Feature): Feature[] {
  let x = conv(net, input, 48, 3, 2, relu);
  const taps = m.stages.map((stage, index) => {
    x = csp(net, conv(net, x, stage[0], 3, 2, relu), stage, m.kept && index < 3);
    return x;
  });
  const [c2, c3, c4, last] = taps as [Feature, Feature, Feature, Feature];
  const half = conv(net, last, 384, 1, 1, relu);
  const pooled = cat(net, [half, ...[5, 9, 13].map((size) => maxPool(net, half, size, 1))]);
  const c5 = conv(net, pooled, 768, 1, 1, relu);
  const up = (coarse: Feature, own: Feature, finer: Feature, stage: Stage): [Feature, Feature] => {
    const [out] = stage;
    const narrow = conv(net, coarse, out, 1, 1, relu);
    const down = conv(net, conv(net, finer, out, 1, 1, relu), out, 3, 2, relu);
    const joined = cat(net, [deconv(net, narrow, out, 2, 2, { act: "none" }), conv(net, own, out, 1, 1, relu), down]);
    return [narrow, csp(net, conv(net, joined, out, 1, 1, relu), stage, false)];
  };
  const [narrow5, middle] = up(c5, c4, c3, m.neck[0]);
  const [narrow4, fine] = up(middle, c3, c2, m.neck[1]);
  const down = (finer: Feature, own: Feature, stage: Stage): Feature =>
    csp(net, cat(net, [conv(net, finer, stage[0] / 2, 3, 2, relu), own]), stage, false);
  const again = down(fine, narrow4, m.neck[2]);
  const coarse = down(again, narrow5, m.neck[3]);
  return [fine, again, coarse].flatMap((level, index) => {
    const width = m.heads[index] ?? 64;
    const stem = conv(net, level, width, 1, 1, relu);
    const branch = (out: number): Feature => conv(net, conv(net, stem, width, 3, 1, relu), out, 1, 1, { act: "none" });
    return [branch(68), act(net, branch(80), "sigmoid")];
  });
}

const known = (
  size: keyof typeof members,
  name: string,
  published: readonly Published[],
  aliases: readonly string[],
): KnownModel =>
  makeKnown({
    id: `yolo_nas_${size}`,
    name: `YOLO-NAS ${name}`,
    aliases,
    family: "YOLO-NAS",
    task: "detection",
    input: 640,
    published,
    source: `github.com/Deci-AI/super-gradients src/super_gradients/recipes/arch_params/yolo_nas_${size}_arch_params.yaml`,
    layers: (net, x) => build(net, members[size], x),
  });

/** "12.15M parameters" where it says what is tuned after the branches were merged. */
const notebook = "github.com/Deci-AI/super-gradients notebooks/yolo_nas_custom_dataset_fine_tuning_with_qat.ipynb";

export default [known("s", "small", [own(notebook, undefined, 12.15)], ["YOLO-NAS"])] satisfies readonly KnownModel[];
