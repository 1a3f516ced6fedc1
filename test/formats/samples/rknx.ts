/** RKNX: a header of zeros, then the description. */

import { bytesOf } from "../../support/sealed.ts";
import { flatBuffer, string, table, u32 } from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

const description = flatBuffer(
  table({
    0: u32(3),
    1: string("a language model"),
    2: string("1.0.1"),
    3: string("1.0.0"),
    5: table({ 0: string("RK1828") }),
    10: table({ 1: u32(151936), 2: u32(896) }),
  }),
);

export const samples: Samples = { "llm.rknx": () => bytesOf("RKNX", "\0".repeat(0x4c), description) };
