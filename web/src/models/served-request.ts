/** Asks the server to run a model that it serves, on values or on a picture that this browser decodes. */

import type { Port } from "../../../src/delegates/delegate.ts";
import { ask } from "../api.ts";
import {
  fromPixels,
  inferAt,
  pictureLayout,
  sizesOf,
  typeNamed,
  type InferOutput,
  type Served,
  type Tensor,
} from "./served-values.ts";

export async function infer(model: Served, inputs: readonly Tensor[]): Promise<readonly InferOutput[]> {
  const { outputs } = await ask<{ readonly outputs: readonly InferOutput[] }>(inferAt(model), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
  return outputs;
}

export async function valuesOfPicture(port: Port, file: File): Promise<Tensor> {
  const layout = pictureLayout(port);
  if (layout === undefined) throw new Error(`${port.name} is no picture`);
  const { width, height } = layout;
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (bitmap === undefined) throw new Error(`${file.name} is no picture that this browser reads`);
  const brush = new OffscreenCanvas(width, height).getContext("2d");
  if (brush === null) throw new Error("this browser draws nothing");
  brush.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const data = fromPixels(brush.getImageData(0, 0, width, height).data, layout, port.type);
  return { name: port.name, datatype: typeNamed(port.type) ?? port.type, shape: sizesOf(port), data };
}
