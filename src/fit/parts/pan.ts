/** Path aggregation: three features go down to the coarsest and up again (arXiv 1803.01534), as nearly all YOLOs have it. */

import { cat, up, type Feature, type Net } from "./blocks.ts";

type Step = (x: Feature) => Feature;

export interface Pan {
  /** Narrowing before the features go up: of the coarsest, of the middle (v5, YOLOX). */
  readonly narrow?: readonly [Step, Step];
  /** After each joining: middle, finest, middle again, coarsest. */
  readonly blocks: readonly [Step, Step, Step, Step];
  /** From the finest to the middle, from the middle to the coarsest. */
  readonly down: readonly [Step, Step];
}

export function pan(
  net: Net,
  [p3, p4, p5]: readonly [Feature, Feature, Feature],
  how: Pan,
): [Feature, Feature, Feature] {
  const same: Step = (x) => x;
  const [narrow5, narrow4] = how.narrow ?? [same, same];
  const coarse = narrow5(p5);
  const middle = narrow4(how.blocks[0](cat(net, [up(net, coarse), p4])));
  const fine = how.blocks[1](cat(net, [up(net, middle), p3]));
  const again = how.blocks[2](cat(net, [how.down[0](fine), middle]));
  return [fine, again, how.blocks[3](cat(net, [how.down[1](again), coarse]))];
}
