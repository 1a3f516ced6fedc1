/**
 * OpenVINO's devices: "CPU", "NPU", "GPU", or "GPU.0", "GPU.1" where there are several.
 * https://docs.openvino.ai/2026/openvino-workflow/running-inference/inference-devices-and-modes.html
 */

import { CannotError } from "../../base/errors.ts";
import type { Seen } from "../delegate.ts";
import { words, type Ov, type Pointer } from "./api.ts";

/** A device's name before its number, and what the catalogue calls it. The GPU plugin takes Intel's GPUs only. */
const families: Readonly<Record<string, string>> = { CPU: "cpu", NPU: "intel-npu", GPU: "intel-gpu" };
/** openvino/runtime/properties.hpp and the plugins' own, 2026.4.1. Devices have some of them. */
const FULL_NAME = "FULL_DEVICE_NAME";
const MEMORY = ["GPU_DEVICE_TOTAL_MEM_SIZE", "NPU_DEVICE_TOTAL_MEM_SIZE"];
const FACTS = [
  "DEVICE_TYPE",
  "DEVICE_ARCHITECTURE",
  "DEVICE_PCI_INFO",
  "OPTIMIZATION_CAPABILITIES",
  "NPU_DRIVER_VERSION",
  "NPU_COMPILER_VERSION",
];
/** No machine has more. */
const DEVICES_LIMIT = 1024;

/** Those that work: a plugin that cannot be loaded, or sees no hardware, gives none. Loads all plugins. */
export async function availableDevices(ov: Ov, core: Pointer): Promise<string[]> {
  const list = words(2);
  await ov.callAsync("ov_core_get_available_devices", core, list);
  const count = Math.min(Number(list[1]), DEVICES_LIMIT);
  const names = count === 0 ? [] : (ov.koffi.decode(list[0] ?? 0n, ov.koffi.array("char *", count)) as string[]);
  ov.free("ov_available_devices_free", list);
  return names;
}

/** The device that `--device` means: cpu, or a family, with ":1" the second of its kind. Throws CannotError. */
export function deviceFor(device: string, available: readonly string[], version: string): string {
  const [family = "", number = "0"] = device.split(":", 2);
  const kind = Object.keys(families).find((name) => families[name] === family);
  if (kind === undefined) throw new CannotError(`OpenVINO has no device for ${device}`);
  const own = available.filter((name) => name.split(".", 1)[0] === kind);
  const id = own[Number(number)];
  if (id !== undefined) return id;
  const sees = available.length === 0 ? "no device at all" : `only ${available.join(", ")}`;
  throw new CannotError(`${device}: OpenVINO ${releaseOf(version)} sees no such device here, ${sees}`);
}

/** As a family of the catalogue; undefined for devices of other plugins. */
export const familyOf = (id: string): string | undefined => families[id.split(".", 1)[0] ?? ""];

/** "2026.4.1" of a build number. */
export const releaseOf = (build: string): string => build.split("-", 1)[0] ?? build;

export function describeDevice(ov: Ov, core: Pointer, id: string, available: readonly string[]): Seen {
  const property = (name: string): string | undefined => {
    try {
      return ov.text(ov.pointer("ov_core_get_property", core, id, name)).trim();
    } catch (error) {
      if (error instanceof CannotError) return undefined; // the device has no such property
      throw error;
    }
  };
  const family = familyOf(id);
  const at = available.filter((other) => familyOf(other) === family).indexOf(id);
  const memory = MEMORY.map(property).find((text) => text !== undefined && /^[1-9]\d{0,15}$/.test(text));
  const facts = FACTS.flatMap((name) => {
    const value = property(name);
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  return {
    id,
    name: property(FULL_NAME) ?? id,
    ...(family === undefined ? {} : { device: at > 0 ? `${family}:${at}` : family }),
    ...(memory === undefined ? {} : { memory_bytes: Number(memory) }),
    ...(facts.length === 0 ? {} : { facts: Object.fromEntries(facts) }),
  };
}
