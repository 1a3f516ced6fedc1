/** What Vela checks of operators that look along an axis: means, the largest, softmax, products with a matrix, and LSTM. */

import type { Tensor } from "../model/graph.ts";
import {
  type Build,
  check,
  eightBit,
  inFile,
  number,
  of,
  sameTypes,
  signed,
  text,
  values,
  type VelaVersion,
  list,
} from "./vela-checks.ts";
import { elements, isConstant, sameShape, shapeOf } from "./vela-tensors.ts";
import { biasChecks, weightConstant, weightType } from "./vela-windows.ts";
import type { View } from "./view.ts";

const axesOf = (view: View, index: number): readonly number[] | undefined => values(view, index);

const meanAxis = inFile(
  "axis",
  "Requirements for axis parameter: When IFM tensor is 2D: Reduction in both axes is supported. When IFM tensor is 3D or 4D: Reduction in Batch axis is only supported if batch size is 1; Reduction in both Height and Width axes is supported; Reduction in Depth axis is supported if at least one of H,W,C are of size 1.",
  (view) => {
    const [shape, axes] = [shapeOf(view.inputs[0]), axesOf(view, 1)];
    if (axes === undefined) return undefined;
    return axes.every((axis) => {
      if (axis < 0 || axis >= shape.length) return false;
      if (shape.length === 4 && axis === 0) return shape[0] === 1;
      if (shape.length === 3 && axis === 2) return shape.includes(1);
      return shape.length !== 4 || axis !== 3 || shape.slice(1).includes(1);
    });
  },
  (view) => `Shape is ${text(view.inputs[0])}, Axis is ${list(axesOf(view, 1))}`,
);

export const mean: Build = {
  scalarIn: true,
  needs: true,
  semantic: [
    check("rank", "Input tensor must be at least 2D", (view) => {
      const rank = shapeOf(view.inputs[0]).length;
      return rank >= 2 && rank <= 4;
    }),
    meanAxis,
  ],
  npu: [
    inFile(
      "size",
      "Product of reduced axes must be no greater than: 16777216 for signed 8-bit inputs. 8388608 for unsigned 8-bit inputs. 65536 for signed 16-bit inputs.",
      (view) => {
        const shape = shapeOf(view.inputs[0]);
        const product = (axesOf(view, 1) ?? []).reduce((all, axis) => all * (shape[axis] ?? 1), 1);
        return product <= (view.inType === "int16" ? 2 ** 16 : view.inType === "uint8" ? 2 ** 23 : 2 ** 24);
      },
    ),
    inFile("size", "If Width axis is reduced its shape must be no greater than 4096.", (view) => {
      const shape = shapeOf(view.inputs[0]);
      return (shape[shape.length < 4 ? 1 : 2] ?? 0) <= 4096;
    }),
    inFile("size", "If Depth axis is reduced its shape must be no greater than 4096.", (view) => {
      const shape = shapeOf(view.inputs[0]);
      return axesOf(view, 1)?.includes(shape.length - 1) !== true || (shape.at(-1) ?? 0) <= 4096;
    }),
  ],
};

export const fullyConnected: Build = {
  needs: true,
  perAxis: 4,
  without: ["batch"],
  semantic: [
    inFile("output rank", "The output tensor(s) must have 2D shape", (view) => {
      const { ifm, weights } = of(view);
      const [rows, columns] = shapeOf(weights);
      const depth = (isConstant(weights) ? columns : rows) ?? 1;
      return shapeOf(ifm).length !== 1 && (elements(ifm) ?? 0) % depth === 0;
    }),
    inFile(
      "output rank",
      "The IFM and OFM must have the same number of dimensions if keep_num_dims is set to true",
      (view) =>
        view.node.attributes["keep_num_dims"] !== true || shapeOf(of(view).ifm).length === shapeOf(of(view).ofm).length,
    ),
  ],
  npu: [weightType, weightConstant, ...biasChecks],
};

export const softmaxOf = ({ major }: VelaVersion): Build => ({
  needs: true,
  without: ["batch"],
  semantic: [
    inFile("shape", "IFM and OFM shapes must match", (view) => sameShape(of(view).ifm, of(view).ofm)),
    sameTypes,
    inFile("beta", "Beta value needs to be positive", (view) => (number(view, "beta") ?? 1) >= 0),
  ],
  ...(major === 3
    ? {}
    : {
        npu: [
          check("size", "The product of IFM width and height must be in the range [1, 65535]", (view) => {
            const shape = shapeOf(of(view).ifm);
            return (shape.at(-2) ?? 1) * (shape.at(-3) ?? 1) <= 65535;
          }),
        ],
      }),
});

export const argMax: Build = {
  scalarIn: true,
  needs: true,
  int32: true,
  without: ["quantisation", "type"],
  semantic: [
    eightBit,
    check(
      "output type",
      "OFM must be int32 or int64",
      (view) => /^int(?:32|64)$/.test(of(view).ofm?.type ?? ""),
      (view) => `Op has ofm_dtype=${of(view).ofm?.type ?? ""}`,
    ),
  ],
  npu: [
    inFile(
      "axis",
      "Operation must be performed along the depth axis",
      (view) => {
        const [axis] = values(view, 1) ?? [];
        return axis === undefined ? undefined : axis === -1 || axis === shapeOf(view.inputs[0]).length - 1;
      },
      (view) => `Axis is ${list(values(view, 1))} and number of input dimensions is ${shapeOf(view.inputs[0]).length}`,
    ),
    inFile(
      "size",
      "IFM depth must be no greater than 127",
      (view) => (shapeOf(view.inputs[0]).at(-1) ?? 0) <= 127,
      (view) => `IFM depth is ${shapeOf(view.inputs[0]).at(-1) ?? "?"}`,
    ),
  ],
};

const given = (view: View, from: number, to: number): readonly (Tensor | undefined)[] => view.inputs.slice(from, to);

const nothing = (list: readonly (Tensor | undefined)[]): boolean => list.every((tensor) => tensor === undefined);

export const lstm: Build = {
  needs: true,
  semantic: [
    signed,
    sameTypes,
    inFile(
      "rank",
      "IFM and OFM must have 3D shape",
      (view) => shapeOf(of(view).ifm).length === 3 && shapeOf(of(view).ofm).length === 3,
    ),
    inFile("inputs", "Must have 24 input tensors", ({ inputs }) => inputs.length === 24),
  ],
  npu: [
    inFile("lstm", "Must not use CIFG", ({ inputs }) => inputs[1] !== undefined || inputs[5] !== undefined),
    inFile("lstm", "Must not use Peephole", (view) => nothing(given(view, 9, 12))),
    inFile("lstm", "Must not use Projection", (view) => nothing(given(view, 16, 18))),
    inFile("lstm", "Must not use Normalisation", (view) => nothing(given(view, 20, 24))),
    inFile(
      "lstm",
      "All input and recurrent weights must be available",
      (view) => !given(view, 1, 9).includes(undefined),
    ),
    inFile("lstm", "All recurrent weights must be 2D", (view) =>
      given(view, 5, 9).every((tensor) => shapeOf(tensor).length === 2),
    ),
  ],
};
