/**
 * Rockchip's NPU by the vendor's own runtime: librknnrt (RK3588, RK3576, RK356x, RV1126B) and librknnmrt (RV1103, RV1106), which runs
 * models that rknn-toolkit2 compiled for one chip. https://github.com/airockchip/rknn-toolkit2
 */

import { existsSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { CannotError, FileError } from "../base/errors.ts";
import { absent, read, valueOf, type Reading } from "../base/reading.ts";
import { readLibraries } from "../facts/libraries.ts";
import { openLive } from "../root/directory.ts";
import { Structs } from "../base/c-struct.ts";
import type { Delegate, FindOptions, Found, OpenOptions, Session } from "./delegate.ts";
import { check, COLLECT_PERF, coreMasks, flags, loadRknn, query, RknnError, structs, type Rknn } from "./rknn/api.ts";
import { readAttributes, type Attribute } from "./rknn/attribute.ts";
import { CopyingRunner, SharingRunner, type Runner } from "./rknn/runner.ts";

const LIBRARIES = ["librknnrt.so", "librknnmrt.so"];
const FAMILY = "rockchip";
/** RKNN_ERR_MODEL_INVALID. */
const MODEL_INVALID = -6;

const delegate: Delegate = {
  id: "rknn",
  name: "RKNN",
  formats: ["rknn", "rknn-encrypted"],
  devices: [FAMILY],
  verified:
    "documents: signatures and structs checked by a C compiler against rknn_api.h of RKNN SDK 2.3.2, and run against a test library of the same ABI; not run on a Rockchip NPU",
  sources: [
    "https://github.com/airockchip/rknn-toolkit2/blob/v2.3.2/rknpu2/runtime/Linux/librknn_api/include/rknn_api.h",
    "https://github.com/airockchip/rknn-toolkit2/tree/v2.3.2/rknpu2/examples",
  ],
  manual: {
    install: [
      {
        command: "git clone --depth 1 https://github.com/airockchip/rknn-toolkit2",
        brings:
          "librknnrt.so and librknnmrt.so, in rknpu2/runtime/Linux: the one for the board goes into /usr/lib, or is named by --library",
      },
    ],
    library: "librknnrt.so, or librknnmrt.so of RV1103 and RV1106",
    options: [
      { name: "core_mask", says: `which cores: a number, or ${Object.keys(coreMasks).join(", ")}` },
      { name: "flag", says: `of rknn_init, joined by "|": ${Object.keys(flags).join(", ")}` },
    ],
  },
  find,
  supports: () => undefined,
  async open(model, options) {
    const found = find(options);
    if (found.state !== "read") {
      throw new CannotError(
        `the RKNN runtime is not here (${found.from}): put librknnrt.so of https://github.com/airockchip/rknn-toolkit2 into /usr/lib, or name it`,
      );
    }
    const library = found.value.library;
    const rknn = loadRknn(library);
    if (!existsSync(model)) throw new CannotError(`${model}: no such file`);
    const mask = coreMaskOf(options);
    const context = await init(rknn, model, flagsOf(options));
    try {
      return await sessionOf(rknn, context, mask, isSmall(library), options);
    } catch (error) {
      rknn.call("rknn_destroy", context);
      throw error;
    }
  },
};
export default delegate;

function find({ library, environments = [] }: FindOptions): Reading<Found> {
  if (library !== undefined) return existsSync(library) ? read({ library }, library) : absent(library);
  const libraries = valueOf(readLibraries(openLive(), environments));
  for (const name of LIBRARIES) {
    const known = libraries === undefined ? undefined : valueOf(libraries.find(name))?.[0];
    if (known !== undefined) return read({ library: known.path }, known.path);
  }
  return absent(LIBRARIES.join(", "), "not among the loader's libraries");
}

/** The runtime of RV1103 and RV1106 takes and gives tensors in memory of its own only. */
const isSmall = (library: string): boolean => basename(realpathSync(library)).startsWith("librknnmrt");

async function init(rknn: Rknn, model: string, flag: number): Promise<bigint> {
  const out = Buffer.allocUnsafeSlow(8).fill(0);
  try {
    // With a size of 0 the model is a path.
    check("rknn_init", await rknn.callAsync("rknn_init", out, model, 0, flag, null));
  } catch (error) {
    if (!(error instanceof RknnError)) throw error;
    if (error.code === MODEL_INVALID) throw new FileError(model, error.message, undefined, { cause: error });
    throw new CannotError(`${model}: ${error.message}`, { cause: error });
  }
  return out.readBigUInt64LE();
}

/** "rockchip:1" is core 1, as are the option core_mask=2 and its name in the header; undefined where the runtime chooses. */
function coreMaskOf({ device, options }: OpenOptions): number | undefined {
  const core = new RegExp(`^${FAMILY}(?::(\\d))?$`).exec(device);
  if (core === null)
    throw new CannotError(`RKNN runs on ${FAMILY}, and on "${FAMILY}:0" to ":2" one core of it; not on "${device}"`);
  const given = options?.["core_mask"];
  if (given === undefined) return core[1] === undefined ? undefined : 1 << Number(core[1]);
  const mask = Object.hasOwn(coreMasks, given) ? coreMasks[given] : Number(given);
  if (mask === undefined || !Number.isInteger(mask) || mask < 0 || mask > 0xffff) {
    throw new CannotError(`core_mask=${given}: it is a number, or one of ${Object.keys(coreMasks).join(", ")}`);
  }
  return mask;
}

function flagsOf({ options = {}, profile }: OpenOptions): number {
  const unknown = Object.keys(options).find((name) => name !== "core_mask" && name !== "flag");
  if (unknown !== undefined) throw new CannotError(`RKNN takes no option "${unknown}"; it takes core_mask and flag`);
  const flag = (options["flag"] ?? "").split("|").filter((word) => word !== "");
  return flag.reduce(
    (all, word) => {
      const bit = Object.hasOwn(flags, word) ? flags[word] : undefined;
      if (bit === undefined) throw new CannotError(`flag=${word}: it is one of ${Object.keys(flags).join(", ")}`);
      return all | bit;
    },
    profile === true ? COLLECT_PERF : 0,
  );
}

async function sessionOf(
  rknn: Rknn,
  context: bigint,
  mask: number | undefined,
  small: boolean,
  { lending, profile }: OpenOptions,
): Promise<Session> {
  if (mask !== undefined) {
    try {
      check("rknn_set_core_mask", rknn.call("rknn_set_core_mask", context, mask));
    } catch (cause) {
      if (!(cause instanceof RknnError)) throw cause;
      throw new CannotError(`${cause.message}; this NPU has no choice of cores, or not core mask ${mask}`, { cause });
    }
  }
  const version = new Structs(structs.rknn_sdk_version);
  check("rknn_query", rknn.call("rknn_query", context, query.SDK_VERSION, version.buffer, version.buffer.length));
  const [inputs, outputs] = [
    readAttributes(rknn, context, "input", small),
    readAttributes(rknn, context, "output", small),
  ];
  const options = { profile: profile === true, ...(lending === undefined ? {} : { lending }) };
  const runner: Runner = small
    ? new SharingRunner(rknn, context, inputs, outputs, options)
    : new CopyingRunner(rknn, context, inputs, outputs, options);
  const api = version.text("api_version");
  const where = mask === undefined || mask === 0 ? "the core is its own choice" : `core mask ${mask}`;
  let closed = false;
  /** A context takes one run at a time. */
  let last: Promise<unknown> = Promise.resolve();
  return Promise.resolve({
    inputs: inputs.map(portOf),
    outputs: outputs.map(portOf),
    version: api,
    placement: {
      device: FAMILY,
      says: `the RKNN runtime ${api} took the model, with NPU driver ${version.text("drv_version")}; ${where}`,
    },
    run(values) {
      if (closed) return Promise.reject(new CannotError("the session is closed"));
      const running = last.then(() => runner.run(values));
      last = running.catch(() => undefined);
      return running;
    },
    async close() {
      if (closed) return last.then(() => undefined);
      closed = true;
      last = last.then(() => {
        runner.release();
        rknn.call("rknn_destroy", context);
      });
      await last;
    },
  });
}

const portOf = ({ name, type, shape }: Attribute): Pick<Attribute, "name" | "type" | "shape"> => ({
  name,
  type,
  shape,
});
