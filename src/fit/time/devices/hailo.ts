/** Hailo. Times of its model zoo are of HailoRT's benchmark: frames per second of a stream, not from picture to answer. */

import type { Device } from "../estimate.ts";

const chip = (id: string, name: string, of: string, tops?: number): Device => ({
  id,
  name,
  family: "hailo",
  chip: of,
  class: "dataflow",
  targets: ["hailo"],
  pool: "hailo",
  aliases: [name],
  ...(tops === undefined
    ? {}
    : {
        macs: { value: (tops * 1e12) / 2, precision: "int8", source: `the catalogue's ${name}: ${tops} TOPS in int8` },
      }),
});

export default [
  chip("hailo-8", "Hailo-8", "hailo8", 26),
  chip("hailo-8l", "Hailo-8L", "hailo8", 13),
  chip("hailo-10h", "Hailo-10H", "hailo10h", 20),
  chip("hailo-15h", "Hailo-15H", "hailo15"),
  chip("hailo-15l", "Hailo-15L", "hailo15l"),
] satisfies readonly Device[];
