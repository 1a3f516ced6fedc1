/**
 * ET ELF: a kernel for ET-SoC-1's RISC-V cores, as Glow's ET back end or a compiler makes them: a static ELF64 without an operating
 * system. Nothing in it names the chip. https://github.com/aifoundry-org/et-platform
 */

import { model } from "../model/graph.ts";
import type { Format } from "./format.ts";
import { readElf } from "./sealed/elf.ts";
import { has, leftOver, note, words } from "./sealed/parts.ts";

const EXEC = 2;
/** e_flags of RISC-V: which registers pass floating point; 2 single, 4 double, 6 quad. */
const FLOAT_ABI = 6;
const SINGLE = 2;

const format: Format = {
  id: "et-elf",
  name: "RISC-V kernel (ET-SoC-1)",
  vendor: "AINekko (Esperanto)",
  extensions: [".elf"],
  marks: [{ at: 0, is: "\x7fELF\x02\x01" }],
  shows: "sealed",
  matches(file) {
    // ELF64, little-endian, executable, machine 243; a program for Linux names its interpreter or has dynamic symbols.
    if (!has(file, "\x7fELF\x02\x01") || !has(file, "\x02\0\xf3\0", 16)) return 0;
    // Its cores have no double precision: a program that passes doubles in registers is another chip's.
    if (file.size < 64 || (file.cursor(48, 4).u32() & FLOAT_ABI) > SINGLE) return 0;
    return file.extension === ".elf" ? 2 : 1;
  },
  read(file) {
    const elf = readElf(file, file.size);
    const dynamic = elf.sections.some(({ name }) => name === ".interp" || name === ".dynamic");
    return model("et-elf", {
      version: "ELF64 RISC-V",
      sealed: true,
      ...(elf.comment === "" ? {} : { producer: { name: elf.comment } }),
      targets: [{ family: "et-soc1", chip: "et-soc1", says: "RISC-V (ELF machine 243)" }],
      metadata: words({
        entry: `0x${elf.entry.toString(16)}`,
        type: elf.type === EXEC ? "executable" : `type ${elf.type}`,
        flags: `0x${elf.flags.toString(16)}`,
      }),
      sections: elf.sections.map(({ name, kind, offset, bytes }) => ({ name, kind, offset, bytes })),
      integrity: [
        ...elf.integrity,
        ...leftOver(file, elf.end, "the ELF's last section"),
        ...(dynamic
          ? [note("target/unlikely", "it is linked for an operating system, which ET-SoC-1's cores have none of")]
          : []),
      ],
      unseen: [
        "that it is for ET-SoC-1: any bare RISC-V program looks like this, only where it comes from says it",
        "operators: machine code",
      ],
    });
  },
  sources: ["https://github.com/aifoundry-org/et-platform"],
  checked: { files: 3, says: "kernels of ET-SoC-1's Glow back end, and a test's of et-platform" },
};
export default format;
