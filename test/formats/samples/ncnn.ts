/** ncnn's text as ncnn and as pnnx write it. */

import type { Samples } from "./samples.ts";

const net = `7767517
5 5
Input            data   0 1 data 0=224 1=224 2=3
Convolution      conv   1 1 data a 0=16 1=3 11=3 5=1 6=432 8=2 -23330=4,3,222,222,16
BatchNorm        bn     1 1 a b 0=16 1=1e-5
Slice            slice  1 1 b c -23300=2,8,-233 1=0
InnerProduct     fc     1 1 c prob 0=10 1=1 2=1000
`;

const pnnx = `7767517
4 3
pnnx.Input       in     0 1 0 #0=(1,3,?,224)f32
nn.Conv2d        conv_0 1 1 0 1 bias=True kernel_size=(3,3) @bias=(16)f32 @weight=(16,3,3,3)f32 $input=0 #1=(1,16,?,222)f32
nn.ReLU          act    1 1 1 2 #2=(1,16,?,222)f32
pnnx.Output      out    1 0 2 #2=(1,16,?,222)f32
`;

export const samples: Samples = {
  "net.param": () => Buffer.from(net),
  "net.pnnx.param": () => Buffer.from(pnnx),
};
