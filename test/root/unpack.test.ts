/** Unpacking: right bytes, or an error that says where, and never more than asked. */

import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { FileError } from "../../src/base/errors.ts";
import { packingOf, unpack } from "../../src/root/unpack.ts";

/** Text, noise, long runs and repeats from afar: every kind of chunk and match. */
function sample(): Buffer {
  const parts: Buffer[] = [];
  let seed = 1;
  const noise = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => (seed = (seed * 1103515245 + 12345) % 2147483648) >> 16));
  for (let i = 0; i < 36; i++) {
    parts.push(
      Buffer.from(`alias pci:v00008086d0000${i.toString(16).padStart(4, "0")}sv*sd*bc12sc00i* intel_vpu\n`.repeat(i)),
    );
    parts.push(noise(i * 200), Buffer.alloc(i * 300, i));
  }
  return Buffer.concat(parts);
}

const original = sample();
const LIMIT = 64 * 1024 * 1024;

function tool(name: string, args: readonly string[], input: Uint8Array = original): Buffer | undefined {
  try {
    return execFileSync(name, args, { input, maxBuffer: LIMIT, stdio: ["pipe", "pipe", "ignore"] });
  } catch {
    return undefined; // not installed here: that packing is tested where it is
  }
}

const packed: readonly (readonly [string, Buffer | undefined])[] = [
  ["gzip", gzipSync(original)],
  ["xz", tool("xz", ["-c", "-6"])],
  ["xz with CRC32 and small blocks", tool("xz", ["-c", "--check=crc32", "--block-size=65536", "-T2"])],
  ["xz as the kernel packs", tool("xz", ["-c", "--check=crc32", "--lzma2=dict=1MiB"])],
  ["xz with other literal contexts", tool("xz", ["-c", "--lzma2=preset=6,lc=0,lp=4,pb=0"])],
  ["xz without a check", tool("xz", ["-c", "--check=none"])],
  ["xz with SHA-256", tool("xz", ["-c", "--check=sha256"])],
  ["zstd", tool("zstd", ["-c", "-q"])],
  ["zstd at its best", tool("zstd", ["-c", "-q", "-19"])],
  ["bzip2", tool("bzip2", ["-c"])],
];

for (const [name, bytes] of packed) {
  describe.skipIf(bytes === undefined)(name, () => {
    const file = bytes ?? Buffer.alloc(0);

    it("unpacks to the original", () => {
      expect(Buffer.compare(unpack(file, "f", LIMIT), original)).toBe(0);
      expect(packingOf(file)).toBe(name.split(" ")[0]);
    });

    it("twice in a row unpacks to both", () => {
      expect(unpack(Buffer.concat([file, file]), "f", LIMIT).length).toBe(original.length * 2);
    });

    it("cut off anywhere is an error, with the offset of the end", () => {
      for (let cut = 6; cut < file.length; cut += Math.ceil(file.length / 40)) {
        let failure: unknown;
        try {
          unpack(file.subarray(0, cut), "f", LIMIT);
        } catch (error) {
          failure = error;
        }
        expect(failure, `cut at ${cut}`).toBeInstanceOf(FileError);
        expect((failure as FileError).offset ?? cut, `cut at ${cut}`).toBeLessThanOrEqual(cut);
      }
    });

    it("with bytes changed gives an error or bytes, nothing else", () => {
      for (let i = 0; i < 60; i++) {
        const mutated = Buffer.from(file);
        const at = (i * 7919) % file.length;
        mutated[at] = (mutated[at] ?? 0) ^ (1 << (i % 8));
        try {
          expect(unpack(mutated, "f", LIMIT).length).toBeLessThanOrEqual(LIMIT);
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }
    });

    it("larger than the limit is refused", () => {
      expect(() => unpack(file, "f", 10_000)).toThrow("unpacks to more than 10000 bytes");
      expect(unpack(file, "f", original.length).length).toBe(original.length);
    });
  });
}

describe("zstd, whoever unpacks it", () => {
  /** One block, as it is: magic, descriptor (one segment, length in a byte), length, block header (last, raw), content. */
  const frame = (text: string): Buffer =>
    Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, text.length, 1 | (text.length << 3), 0, 0]),
      Buffer.from(text, "latin1"),
    ]);
  const skipped = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

  it("reads every frame and passes over those for others", () => {
    const file = Buffer.concat([frame("one "), skipped, frame("two "), frame(""), frame("three"), skipped]);
    expect(Buffer.from(unpack(file, "f", 100)).toString()).toBe("one two three");
    expect(unpack(file, "f", 13).length).toBe(13);
    expect(() => unpack(file, "f", 12)).toThrow("unpacks to more than 12 bytes");
  });

  it("says where it stops being zstd, and where it ends too early", () => {
    expect(() => unpack(Buffer.concat([frame("one"), Buffer.from("rubbish")]), "f", 100)).toThrow(
      /offset 0xc: .*frame/,
    );
    const two = Buffer.concat([frame("one"), frame("two")]);
    for (let cut = 4; cut < two.length; cut++) {
      if (cut === frame("one").length) continue;
      expect(() => unpack(two.subarray(0, cut), "f", 100), `cut at ${cut}`).toThrow("ends in the middle");
    }
  });

  it("is not kept busy by a multitude of empty frames", () => {
    const file = Buffer.concat(Array.from({ length: 30_000 }, () => frame("")));
    expect(() => unpack(file, "f", 100)).toThrow("zstd with more than 20000 frames");
  });
});

describe("unpacking", () => {
  it("hands back what is not packed", () => {
    const plain = Buffer.from("CONFIG_DRM_ACCEL=y\n");
    expect(unpack(plain, "f", 100)).toBe(plain);
    expect(unpack(Buffer.alloc(0), "f", 100).length).toBe(0);
    expect(() => unpack(plain, "f", 5)).toThrow(FileError);
  });

  it("stops at bombs of every kind", () => {
    const zeros = Buffer.alloc(16 * 1024 * 1024);
    const bombs = [
      gzipSync(zeros),
      tool("xz", ["-c"], zeros),
      tool("zstd", ["-c", "-q"], zeros),
      tool("bzip2", ["-c"], zeros),
    ];
    for (const bomb of bombs) {
      if (bomb !== undefined)
        expect(() => unpack(bomb, "bomb", 4 * 1024 * 1024)).toThrow("unpacks to more than 4194304 bytes");
    }
  });

  it("refuses a zstd frame that wants gigabytes of memory", () => {
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00]);
    expect(() => unpack(frame, "f", LIMIT)).toThrow(/wants a window of/);
  });

  it("says which filter of xz it does not read", ({ skip }) => {
    const bcj = tool("xz", ["-c", "--x86", "--lzma2"]);
    if (bcj === undefined) return skip("xz is not installed");
    expect(() => unpack(bcj, "f", LIMIT)).toThrow(/filters before LZMA2/);
  });
});
