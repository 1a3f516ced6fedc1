/** Files a machine comes in: device trees, archives, packages, captures, packed or not. Opened by content and reviewed. */

import { gzipSync } from "node:zlib";

import { read } from "../../../src/base/reading.ts";
import {
  isEntry,
  openCapture,
  toCapturePaths,
  writeCapture,
  type CapturePath,
  type Failure,
} from "../../../src/root/capture.ts";
import { openBytes } from "../../../src/root/open.ts";
import { record } from "../../../src/root/recording.ts";
import type { Root } from "../../../src/root/root.ts";
import { registerTree, treeOf } from "../../../src/root/tree.ts";
import { unpack } from "../../../src/root/unpack.ts";
import { review } from "../../../src/review/review.ts";
import { makeDtb, type Source } from "../../root/make-dtb.ts";
import { checkReview } from "../check.ts";
import { below, mutateBytes, mutateJson, mutateText, pick, type Random } from "../mutate.ts";
import { deb, storedXz, storedZstd, summed, tar } from "../seeds/archive.ts";
import { buildRoot, changeItems } from "../seeds/change.ts";
import { machine, type Item } from "../seeds/machine.ts";
import { packedBzip2, packedXz, packedZstd } from "../seeds/packed.ts";
import { contentOf, realFiles, seedOf, unpackedOf } from "../seeds/real.ts";
import { Complaint, type Case, type Target } from "../target.ts";

const opened = (bytes: Uint8Array, random: Random): Case => ({
  input: bytes,
  run: () => {
    checkReview(openBytes(bytes, "fuzzed"), random);
  },
});

const ownTree = makeDtb({
  model: "Fuzz Board\0",
  compatible: "radxa,rock-5b\0rockchip,rk3588\0",
  "npu@fdab0000": { compatible: "rockchip,rk3588-rknn-core\0", status: "okay\0", phandle: "\0\0\0\u0003" },
  soc: {
    "npu@1000": { compatible: "arm,ethos-u85\0", status: "disabled\0", "memory-region": "\0\0\0\u0004" },
    "remoteproc@1": { compatible: "qcom,sm8550-cdsp-pas\0", "firmware-name": "a\0b\0" },
  },
  aliases: { npu0: "/npu@fdab0000\0" },
});

/** Half of the trees are whole and say odd things, the other half are damaged. */
export const deviceTree: Target = {
  name: "device tree",
  share: 3,
  make: (random) => {
    if (random() < 0.5) return opened(makeDtb(oddTree(random, 0)), random);
    return opened(mutateBytes(seedOf(random, [ownTree], realFiles("machines/dtb", /\.dtb$/), 0.1), random), random);
  },
};

const compatibles = [
  "rockchip,rk3588-rknn-core",
  "arm,ethos-u85",
  "qcom,sm8550-cdsp-pas",
  "qcom,fastrpc",
  "vivante,gc",
];
const properties: readonly (readonly [name: string, value: string])[] = [
  ["status", "okay\0"],
  ["reg", "\0\0\0\u0001\0\0\0\u0002"],
  ["phandle", "\0\0\0\u0003"],
  ["memory-region", "\0\0\0\u0003"],
  ["firmware-name", "a.mbn\0b.mbn\0"],
  ["label", "cdsp\0"],
  ["interrupts", "\0\0\0\u0001"],
];

function oddTree(random: Random, depth: number): Pairs {
  const pairs: [string, string | Pairs][] = [["compatible", `${odd(pick(random, compatibles), random)}\0`]];
  if (depth === 0) pairs.push(["model", `${odd("Fuzz Board", random)}\0`]);
  for (const [name, value] of properties) if (random() < 0.4) pairs.push([odd(name, random), odd(value, random)]);
  const children = depth < 5 ? below(random, 4) : 0;
  for (let i = 0; i < children; i++) {
    pairs.push([odd(pick(random, ["npu@1000", "soc", "remoteproc", "aliases"]), random), oddTree(random, depth + 1)]);
  }
  return pairs;
}

const odd = (text: string, random: Random): string => (random() < 0.15 ? mutateText(text, random) : text);
type Pairs = readonly (readonly [string, string | Source])[];

const packers: readonly { readonly suffix: string; readonly pack: (bytes: Uint8Array) => Uint8Array }[] = [
  { suffix: "", pack: (bytes) => bytes },
  { suffix: ".gz", pack: (bytes) => gzipSync(bytes, { level: 1 }) },
  { suffix: ".zst", pack: storedZstd },
  { suffix: ".xz", pack: storedXz },
];

const meta: readonly Item[] = [
  {
    path: "/meta/dev",
    content:
      "directory|755|0|0|0|0|/dev\ncharacter special file|600|0|0|105|0|/dev/accel/accel0\nc 660 0 105 226 128 /dev/dri/renderD128\n",
  },
  { path: "/meta/dmesg", content: "[    1.0] Linux version 7.3\n" },
  { path: "/meta/uname", content: "Linux host 7.3.4-fuzz #1 SMP x86_64 GNU/Linux\n" },
  { path: "/meta/ko-present", content: "/lib/modules/7.3.4-fuzz/kernel/x.ko\n" },
  { path: "/meta/firmware-present", content: "/lib/firmware/intel/vpu/x.bin\n" },
  {
    path: "/meta/unreadable",
    content: "/sys/a\tPermission denied\ncp: cannot open '/sys/b' for reading: Permission denied\ncp: read error\n",
  },
  { path: "/meta/etc/os-release", content: "ID=debian\n" },
];

/** A tree whose files were changed, or whose headers were, with their checksums made right again; then packed; sometimes damaged. */
export const archives: Target = {
  name: "archives",
  share: 3,
  make: (random) => {
    const seed = random() < 0.4 ? [...machine, ...meta] : machine.filter(() => random() < 0.3);
    const changed = random() < 0.5 ? changeItems(seed.length === 0 ? machine : seed, random).items : seed;
    const archive = tar(changed, random() < 0.3 ? "wrapper/" : "");
    if (random() < 0.6) changeHeaders(archive, random);
    const packer = pick(random, packers);
    const packed = packer.pack(archive);
    const whole = random() < 0.2 ? deb(packed, packer.suffix) : packed;
    return opened(random() < 0.3 ? mutateBytes(whole, random) : whole, random);
  },
};

/** Headers are found by their magic, as contents move them about. */
function changeHeaders(archive: Buffer, random: Random): void {
  const rounds = 1 + below(random, 4);
  for (let i = 0; i < rounds; i++) {
    const from = below(random, archive.length);
    const magic = archive.indexOf("ustar", from);
    const start = magic - 257;
    if (magic < 0 || start % 512 !== 0) continue;
    const header = mutateBytes(archive.subarray(start, start + 512), random).subarray(0, 512);
    archive.set(header, start);
    if (random() < 0.3)
      archive.write(pick(random, ["L", "K", "x", "g", "S", "1", "2", "3", "5", "6", "V"]), start + 156);
    summed(archive.subarray(start, start + 512));
  }
}

export const packages: Target = {
  name: "Debian packages",
  share: 1,
  make: (random) => {
    const packer = pick(random, packers);
    const items = machine.filter(({ path }) => /^\/(lib|boot|usr)\//.test(path));
    return opened(mutateBytes(deb(packer.pack(tar(items, "./")), packer.suffix), random), random);
  },
};

/** The unpackers alone, on streams of real packers. */
const UNPACK_LIMIT = 16 * 1024 * 1024;
const plain = Buffer.from("accelctl ".repeat(3000));
const streams = [packedXz, packedBzip2, packedZstd, storedXz(plain), storedZstd(plain), gzipSync(plain)];
export const packed: Target = {
  name: "unpackers",
  share: 4,
  make: (random) => {
    const seed = pick(random, streams);
    const bytes = mutateBytes(random() < 0.1 ? Buffer.concat([seed, seed]) : seed, random);
    return {
      input: bytes,
      run: () => {
        const out = unpack(bytes, "fuzzed", UNPACK_LIMIT);
        if (out.length > UNPACK_LIMIT) throw new Complaint(`${out.length} bytes came out, past the limit`);
      },
    };
  },
};

let ownCapture: string | undefined;
function captureOf(): string {
  if (ownCapture === undefined) {
    const source = buildRoot({ items: machine, notes: "" }, "live", true);
    const answers = answering(source, () => 0.5);
    const tree = treeOf(source);
    if (tree !== undefined) registerTree(answers, tree);
    const { root, records } = record(answers);
    review(root, { query: true });
    ownCapture = writeCapture(toCapturePaths(records), { by: "fuzz", redacted: false, notes: [] });
  }
  return ownCapture;
}

/** Every driver answers every question, with bytes that mean nothing. */
function answering(root: Root, random: Random): Root {
  return {
    ...root,
    ask: (node, ask) => {
      const noise = (size: number): Uint8Array => {
        const length = random() < 0.1 ? below(random, size + 16) : size;
        const value = random();
        return Uint8Array.from({ length }, () => (value < 0.2 ? 0xff : value < 0.3 ? 0 : below(random, 256)));
      };
      const struct = random() < 0.5 ? mutateBytes(ask.input, random) : noise(ask.input.length);
      const buffers = (ask.pointers ?? []).map((pointer) => noise(pointer.size));
      if (random() < 0.05) buffers.pop();
      return random() < 0.05 ? { state: "malformed", from: node, why: "EIO" } : read({ struct, buffers }, node);
    },
  };
}

/** A whole capture of a machine whose files, links and drivers say something else. */
function otherContents(seed: string, random: Random): string {
  const capture = JSON.parse(seed) as { paths: Record<string, CapturePath | Failure> };
  const names = Object.keys(capture.paths);
  for (let i = 0; i < 1 + below(random, 12); i++) {
    const name = pick(random, names);
    const entry = capture.paths[name];
    if (entry === undefined || !isEntry(entry)) continue;
    const { text, target, asks } = entry;
    capture.paths[name] = {
      ...entry,
      ...(text === undefined ? {} : { text: mutateText(text, random) }),
      ...(target === undefined ? {} : { target: mutateText(target, random) }),
      ...(asks === undefined
        ? {}
        : { asks: Object.fromEntries(Object.keys(asks).map((key) => [key, hexes(below(random, 4), random)])) }),
    };
  }
  return JSON.stringify(capture);
}

const hexes = (count: number, random: Random): string[] =>
  Array.from({ length: 1 + count }, () =>
    Buffer.from(mutateBytes(new Uint8Array(below(random, 600)), random)).toString("hex"),
  );

export const captures: Target = {
  name: "captures",
  share: 3,
  make: (random) => {
    const seed = captureOf();
    const way = random();
    const bytes =
      way < 0.5
        ? Buffer.from(otherContents(seed, random))
        : way < 0.9
          ? Buffer.from(mutateJson(JSON.parse(seed), random))
          : mutateBytes(Buffer.from(seed), random);
    return {
      input: bytes,
      run: () => {
        checkReview(openCapture(bytes, "fuzzed"), random);
      },
    };
  },
};

export const answers: Target = {
  name: "driver answers",
  share: 2,
  make: (random) => ({
    input: "no input but the random stream: answers are made when asked for",
    run: () => {
      checkReview(answering(buildRoot({ items: machine, notes: "" }, "capture", true), random), random, false);
    },
  }),
};

/** Machines and modules of ../shared, damaged. Nothing where it is not there: the shares of the others cover the kind. */
export const real: Target = {
  name: "real machines",
  share: 1,
  make: (random) => {
    const archivesOf = [
      ...realFiles("machines/kernel", /\.tar\.gz$/),
      ...realFiles("machines/sysfs", /\.tar\.(gz|bz2)$/),
    ];
    if (archivesOf.length === 0) return opened(mutateBytes(packedXz, random), random);
    const path = pick(random, archivesOf);
    if (path.endsWith(".bz2") || random() < 0.3) {
      const damaged = mutateBytes(contentOf(path), random);
      return opened(path.endsWith(".bz2") ? damaged.subarray(0, 200_000) : damaged, random);
    }
    const archive = Buffer.from(unpackedOf(path));
    if (random() < 0.3) changeHeaders(archive, random);
    // Contents, not headers: a header with a wrong sum ends the matter.
    for (let i = 0; i < 40; i++) {
      const at = below(random, archive.length);
      const block = at - (at % 512);
      if (archive.toString("latin1", block + 257, block + 262) !== "ustar") archive[at] = below(random, 256);
    }
    return opened(archive, random);
  },
};
