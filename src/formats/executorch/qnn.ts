/**
 * ExecuTorch's QnnBackend: a compile spec (a flatbuffer: chip, back end), and as payload Qualcomm's context binary behind a header of
 * its own. pytorch/executorch backends/qualcomm/serialization/qc_compiler_spec.fbs, runtime/backends/QnnCustomProtocol.h (BSD-3-Clause).
 */

import type { Requirement, Target } from "../../model/graph.ts";
import { FileError } from "../../base/errors.ts";
import { contextTarget, contextText } from "../sealed/qnn.ts";
import { FlatBuffer } from "../wire/flatbuffer.ts";
import type { Stretch } from "./container.ts";
import { whole, type Delegate, type DelegateContext, type Told } from "./delegate.ts";

const MAGIC = 0x5678abcd;
/** Of payloads before the context binary was aligned, and since. */
const HEADERS: readonly number[] = [20, 256];
const fields = { soc_info: 0, backend_options: 1, online_prepare: 4 } as const;
const soc = { soc_model: 0, htp_info: 1, lpai_info: 2 } as const;

/** QcomChipset. */
const chipsets: Readonly<Record<number, string>> = {
  30: "SM8350",
  36: "SM8450",
  39: "SA8295",
  42: "SM8475",
  43: "SM8550",
  45: "SXR1230P",
  46: "SSG2115P",
  52: "SA8255",
  53: "SXR2230P",
  57: "SM8650",
  58: "SSG2125P",
  60: "SC8380XP",
  69: "SM8750",
  72: "SA8797",
  75: "SXR2330P",
  77: "QCS9100",
  87: "SM8850",
  93: "QCM6490",
  95: "SAR2230P",
  96: "SW6100",
  97: "SM8845",
};

/** Chips of the catalogue by Qualcomm's word, where it is the same one. */
const chips: Readonly<Record<string, string>> = {
  SM8350: "sm8350",
  SM8450: "sm8450",
  SM8550: "sm8550",
  SM8650: "sm8650",
  SM8750: "sm8750",
};

/** QnnExecuTorchBackendType. */
const backends = ["", "GPU", "HTP", "DSP", "LPAI"] as const;

export function readQnn(delegate: Delegate, context: DelegateContext): Told {
  const { target, metadata, online } = readSpec(delegate, context);
  const binary = delegate.payload === undefined ? undefined : readBinary(delegate, delegate.payload, context);
  const { build, soc: named } = binary === undefined ? {} : contextText(context.file, binary.offset, binary.bytes);
  const requires: Requirement[] =
    build === undefined ? [] : [{ what: "QNN (Qualcomm AI Runtime)", relation: "built by", version: build }];
  return {
    // Without a compile spec the context may name its chip.
    targets: [target ?? contextTarget(named)],
    requires,
    metadata: { ...metadata, ...(build === undefined ? {} : { qnn_build: build }) },
    sections:
      binary === undefined
        ? whole(delegate)
        : [{ name: "QNN context binary", kind: "code", offset: binary.offset, bytes: binary.bytes }],
    unseen: [
      online
        ? "operators of the QNN graph: it is compiled on the device, from a form that is not public"
        : "operators and weights of the QNN context binary: its layout is not public",
    ],
    sealed: true,
  };
}

function readSpec(
  { specs }: Delegate,
  { file, notes }: DelegateContext,
): { target: Target | undefined; metadata: Record<string, string>; online: boolean } {
  const spec = specs.find(({ key }) => key === "qnn_compile_spec");
  const unknown = { target: undefined, metadata: {}, online: false };
  if (spec === undefined) return unknown;
  try {
    const root = new FlatBuffer(file, { offset: spec.offset, length: spec.bytes }).root();
    const info = root.table(fields.soc_info);
    const number = info?.i32(soc.soc_model) ?? 0;
    const name = chipsets[number];
    const type = root.table(fields.backend_options)?.i32(0) ?? 0;
    const backend = backends[type] ?? `type ${type}`;
    const arch = info?.table(soc.htp_info)?.i32(0) ?? 0;
    const vtcm = info?.table(soc.htp_info)?.u32(1) ?? 0;
    const chip = name === undefined || backend === "GPU" ? undefined : chips[name];
    const says = name ?? (number === 0 ? "QNN" : `Qualcomm chip ${number}`);
    return {
      target: {
        // Adreno is no chip of this family of the catalogue.
        ...(backend === "GPU" ? {} : { family: "qualcomm" }),
        ...(chip === undefined ? {} : { chip }),
        says: backend === "" || backend === "HTP" ? says : `${says} (${backend})`,
      },
      metadata: {
        soc: says,
        ...(backend === "" ? {} : { qnn_backend: backend }),
        ...(arch === 0 ? {} : { htp_arch: `V${arch}` }),
        ...(vtcm === 0 ? {} : { vtcm_mb: String(vtcm) }),
      },
      online: root.bool(fields.online_prepare),
    };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    notes.error("delegate/spec", `the compile spec of QnnBackend is broken: ${error.message}`, spec.offset);
    return unknown;
  }
}

/** The context binary behind ExecuTorch's header: mark, signature, size. */
function readBinary({ id }: Delegate, payload: Stretch, { file, notes }: DelegateContext): Stretch | undefined {
  if (payload.bytes < 20) return undefined;
  const cursor = file.cursor(payload.offset, 20);
  if (cursor.u32() !== MAGIC) {
    notes.note("payload/mark", `the payload of ${id} has no header of ExecuTorch's: a context binary as it is`);
    return payload;
  }
  const bytes = cursor.skip(8).size64();
  const header = HEADERS.find((length) => length + bytes === payload.bytes);
  if (header === undefined) {
    const says = `the payload of ${id} declares ${bytes} bytes of context and has ${payload.bytes} in all`;
    notes.error("payload/size", says, payload.offset + 12);
    return undefined;
  }
  return { offset: payload.offset + header, bytes };
}
