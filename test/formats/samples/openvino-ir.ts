/** OpenVINO IR: as OpenVINO 2026.4 writes it (tools/openvino-oracle.py), and by hand as versions 5 and 10 were. */

import { readFileSync } from "node:fs";
import type { Samples } from "./samples.ts";

export interface Written {
  readonly xml: string;
  /** Bytes of the .bin beside it. */
  readonly bin: number;
  /** Rows of each graph, as OpenVINO reads them back. */
  readonly graphs: readonly (readonly string[])[];
}

export const written = JSON.parse(
  readFileSync(new URL("../openvino-oracle.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Written>>;

const port = (id: number, dims: readonly number[], precision = ""): string =>
  `<port id="${id}"${precision}>${dims.map((size) => `<dim>${size}</dim>`).join("")}</port>`;

/** Version 5: weights belong to the layer that uses them, edges to no Result. */
export const version5 = (
  edge = '<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>',
): string => `<?xml version="1.0" ?>
<!-- made by hand -->
<net batch="1" name="old &amp; small" version="5">
  <layers>
    <layer id="0" name="data" precision="FP16" type="Input">
      <output>${port(0, [1, 3, 8, 8])}</output>
    </layer>
    <layer id="1" name="conv" precision="FP16" type="Convolution">
      <data dilations="1,1" group="1" kernel="3,3" output="4" pads_begin="1,1" pads_end="1,1" strides="1,1"/>
      <input>${port(0, [1, 3, 8, 8])}</input>
      <output>${port(3, [1, 4, 8, 8])}</output>
      <blobs><weights offset="0" size="216"/><biases offset="216" size="8"/></blobs>
    </layer>
  </layers>
  <edges>${edge}</edges>
  <meta_data><MO_version value="2019.1"/><cli_parameters><data_type value="FP16"/></cli_parameters></meta_data>
</net>
`;

/** Version 10: constants are layers, types are in capitals. */
export const version10 = (): string => `<?xml version="1.0"?>
<net name="plus" version="10">
  <layers>
    <layer id="7" name="sum" type="Add" version="opset1">
      <data auto_broadcast="numpy"/>
      <input>${port(0, [1, 10])}${port(1, [1])}</input>
      <output>${port(2, [1, 10], ' precision="FP32" names="sum,total\\,all"')}</output>
    </layer>
    <layer id="2" name="x" type="Parameter" version="opset1">
      <data element_type="f32" shape="1,10"/>
      <output>${port(0, [1, 10], ' precision="FP32"')}</output>
    </layer>
    <layer id="3" name="one" type="Const" version="opset1">
      <data element_type="f32" offset="0" shape="1" size="4"/>
      <output>${port(1, [1], ' precision="FP32"')}</output>
    </layer>
    <layer id="9" name="sum/sink" type="Result" version="opset1"><input>${port(0, [1, 10])}</input></layer>
  </layers>
  <edges>
    <edge from-layer="2" from-port="0" to-layer="7" to-port="0"/>
    <edge from-layer="3" from-port="1" to-layer="7" to-port="1"/>
    <edge from-layer="7" from-port="2" to-layer="9" to-port="0"/>
  </edges>
</net>
`;

const text = (xml: string): Uint8Array => Buffer.from(xml, "utf8");

export const samples: Samples = {
  ...Object.fromEntries(Object.entries(written).map(([name, { xml }]) => [`${name}.xml`, () => text(xml)])),
  "version5.xml": () => text(version5()),
  "version10.xml": () => text(version10()),
};
