/**
 * Devices as ggml's registry lists them, and which of the catalogue's families each is: by the back end where it serves one maker's
 * devices alone, else by the PCI address it tells. ggml/include/ggml-backend.h; names: GGML_CUDA_NAME in ggml-cuda.h ("CUDA", "ROCm"
 * when built with HIP), GGML_ET_NAME, "HTP" of ggml-hexagon, GGML_OPENVINO_NAME.
 */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { CannotError } from "../../base/errors.ts";
import type { Seen } from "../delegate.ts";
import { pointer, type Llama, type Pointer } from "./api.ts";
import { backendFolders, type Candidate } from "./find.ts";

export interface GgmlDevice {
  readonly handle: Pointer;
  /** As ggml names it: CPU, Vulkan0. */
  readonly id: string;
  readonly name: string;
  /** Its registry's name: CPU, Vulkan. */
  readonly backend: string;
  readonly memory_bytes: number;
  /** PCI address, where the back end tells one. */
  readonly pci?: string;
  /** cpu, or a family of the catalogue. */
  readonly device?: string;
}

/** A family, the back ends that reach it (as their files are called), and the registry that means this family and no other. */
const families: readonly { readonly id: string; readonly files: readonly string[]; readonly registry?: string }[] = [
  { id: "nvidia", files: ["cuda", "vulkan"], registry: "CUDA" },
  { id: "amd-rocm", files: ["hip", "vulkan"], registry: "ROCm" },
  { id: "intel-gpu", files: ["vulkan", "sycl"] },
  { id: "intel-npu", files: ["openvino"] },
  { id: "qualcomm", files: ["hexagon"], registry: "HTP" },
  { id: "et-soc1", files: ["et"], registry: "ET" },
];
export const devices: readonly string[] = ["cpu", ...families.map(({ id }) => id)];

/** PCI vendors of what a back end for anyone's GPU (Vulkan, SYCL) sees. */
const vendors: Readonly<Record<string, string>> = { "0x10de": "nvidia", "0x1002": "amd-rocm", "0x8086": "intel-gpu" };

/** The first that could reach the device, else the first at all: back ends may be built in. */
export function candidateFor(all: Iterable<Candidate>, device: string): Candidate | undefined {
  const files = families.find(({ id }) => id === device)?.files ?? [];
  let first: Candidate | undefined;
  for (const candidate of all) {
    first ??= candidate;
    if (device === "cpu" || candidate.backends.some((backend) => files.includes(backend))) return candidate;
  }
  return first;
}

/** ggml_backend_dev_props up to device_id; the older struct of 40 bytes ends before that and leaves it null. */
const [PROPS_BYTES, MEMORY_TOTAL, DEVICE_ID] = [128, 24, 40];

/** Back ends that were loaded, by path; "" are those that lie with the library. */
const loaded = new WeakMap<Llama, Set<string>>();

/** Loads the back ends that lie with the library, and `plugin`, a back end by its path, and lists what they see. */
export async function listDevices(llama: Llama, folder: string, plugin?: string): Promise<GgmlDevice[]> {
  const known = loaded.get(llama) ?? new Set();
  loaded.set(llama, known);
  if (!known.has("")) {
    known.add("");
    // Never ggml_backend_load_all(): it would take libraries out of the working directory too.
    for (const path of backendFolders(folder)) await llama.callAsync("ggml_backend_load_all_from_path", path);
    llama.call("llama_backend_init");
  }
  if (plugin !== undefined && !known.has(plugin)) {
    const mark = llama.log.mark;
    if (pointer(await llama.callAsync("ggml_backend_load", plugin)) === 0n) {
      throw new CannotError(
        `${plugin}: ggml does not take it as a back end: ${llama.log.error(mark) ?? "it does not say why"}`,
      );
    }
    known.add(plugin);
  }
  const count = Number(llama.call("ggml_backend_dev_count"));
  return Array.from({ length: count }, (_, index) =>
    describe(llama, pointer(llama.call("ggml_backend_dev_get", index))),
  );
}

function describe(llama: Llama, handle: Pointer): GgmlDevice {
  const props = Buffer.from(new ArrayBuffer(PROPS_BYTES));
  llama.call("ggml_backend_dev_get_props", handle, props);
  const address = props.readBigUInt64LE(DEVICE_ID);
  const told = address === 0n ? "" : String(llama.koffi.decode(address, "char", -1));
  const pci = /^[\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[\da-f]$/i.test(told) ? told.toLowerCase() : undefined;
  const backend = String(llama.call("ggml_backend_reg_name", llama.call("ggml_backend_dev_backend_reg", handle)));
  const device = familyOf(backend, pci);
  return {
    handle,
    id: String(llama.call("ggml_backend_dev_name", handle)),
    name: String(llama.call("ggml_backend_dev_description", handle)),
    backend,
    memory_bytes: Number(props.readBigUInt64LE(MEMORY_TOTAL)),
    ...(pci === undefined ? {} : { pci }),
    ...(device === undefined ? {} : { device }),
  };
}

/** `vendor` answers what sysfs says of a PCI address. */
export function familyOf(backend: string, pci: string | undefined, vendor = vendorOf): string | undefined {
  if (backend === "CPU") return "cpu";
  const own = families.find(({ registry }) => registry === backend);
  if (own !== undefined) return own.id;
  if (backend === "OPENVINO") {
    // The back end has one device, and this variable says which of OpenVINO's it is.
    const chosen = process.env["GGML_OPENVINO_DEVICE"] ?? "";
    return chosen.startsWith("NPU") ? "intel-npu" : chosen.startsWith("GPU") ? "intel-gpu" : undefined;
  }
  return pci === undefined ? undefined : vendors[vendor(pci) ?? ""];
}

function vendorOf(pci: string): string | undefined {
  try {
    return readFileSync(`/sys/bus/pci/devices/${pci}/vendor`, "utf8").trim();
  } catch {
    return undefined; // no sysfs here: then nobody can say
  }
}

export const seen = ({ id, name, device, memory_bytes, backend, pci }: GgmlDevice): Seen => ({
  id,
  name,
  ...(device === undefined ? {} : { device }),
  memory_bytes,
  facts: { backend, ...(pci === undefined ? {} : { pci }) },
});

/** The device that `--device` means: "nvidia:1" is the second of its kind. undefined is the CPU. Throws CannotError naming what there is. */
export function chooseDevice(all: readonly GgmlDevice[], wanted: string): GgmlDevice | undefined {
  const [, family = wanted, place = "0"] = /^(.+?)(?::(\d{1,3}))?$/.exec(wanted) ?? [];
  if (family === "cpu") {
    if (all.some(({ device }) => device === "cpu")) return undefined;
    throw new CannotError(`ggml has no back end for this CPU beside the library; it has ${list(all)}`);
  }
  const chosen = all.filter(({ device }) => device === family)[Number(place)];
  if (chosen === undefined) throw new CannotError(`ggml sees no ${wanted}; it sees ${list(all)}`);
  return chosen;
}

const list = (all: readonly GgmlDevice[]): string =>
  all.length === 0 ? "nothing" : all.map(({ id, name }) => `${id} (${name})`).join(", ");

/**
 * All processors but one where there are few: the library's threads wait for each other in loops, and one that has to share a processor
 * makes them all wait for long. Half of them where there are many: the other halves are most often the same cores once more.
 */
export const usualThreads = (all = availableParallelism()): number =>
  all <= 4 ? Math.max(1, all - 1) : Math.max(4, all >> 1);
