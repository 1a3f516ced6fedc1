/**
 * Devices as ONNX Runtime's execution providers list them (GetEpDevices, 1.22 and later), and what a maker ships as a library of its
 * own to be registered with it (RegisterExecutionProviderLibrary, a "plugin EP").
 */

import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { CannotError } from "../../base/errors.ts";
import type { Seen } from "../delegate.ts";
import { readPointers, readText, type Ort, type Pointer } from "./api.ts";

/** One provider on one device. */
export interface EpDevice {
  readonly pointer: Pointer;
  /** As placement names it: CPUExecutionProvider. */
  readonly provider: string;
  readonly kind: "CPU" | "GPU" | "NPU";
  /** PCI's, where it is on PCI; 0 otherwise. */
  readonly vendor: number;
  readonly id: number;
  readonly facts: Readonly<Record<string, string>>;
}

/** OrtHardwareDeviceType. */
const kinds = ["CPU", "GPU", "NPU"] as const;

const QNN = "QNNExecutionProvider";

/** Families of the catalogue by what a device is and by its maker's PCI vendor id. */
const families: readonly (readonly [kind: EpDevice["kind"], vendor: number, family: string])[] = [
  ["NPU", 0x8086, "intel-npu"],
  ["GPU", 0x8086, "intel-gpu"],
  ["GPU", 0x10de, "nvidia"],
  ["GPU", 0x1002, "amd-rocm"],
  ["NPU", 0x1022, "amd-xdna"],
];

/** What `--device` calls it. */
export function familyOf({ kind, vendor, provider }: EpDevice): string | undefined {
  if (kind === "CPU") return "cpu";
  // Qualcomm's are on no PCI bus.
  if (kind === "NPU" && provider.startsWith(QNN)) return "qualcomm";
  return families.find(([of, maker]) => of === kind && maker === vendor)?.[2];
}

/** Devices of all providers, in the library's order. Throws CannotError for a library before 1.22. */
function readEpDevices(ort: Ort): readonly EpDevice[] {
  return ort.pointers("GetEpDevices", ort.env()).map((pointer) => {
    const hardware = ort.plain("EpDevice_Device", pointer) as Pointer;
    const say = (name: "EpDevice_EpVendor" | "HardwareDevice_Vendor", of: Pointer): string =>
      (ort.plain(name, of) as string | null) ?? "";
    const vendor = ort.plain("HardwareDevice_VendorId", hardware) as number;
    const id = ort.plain("HardwareDevice_DeviceId", hardware) as number;
    return {
      pointer,
      provider: ort.plain("EpDevice_EpName", pointer) as string,
      kind: kinds[ort.plain("HardwareDevice_Type", hardware) as number] ?? "CPU",
      vendor,
      id,
      facts: {
        provider_vendor: say("EpDevice_EpVendor", pointer),
        device_vendor: say("HardwareDevice_Vendor", hardware),
        vendor_id: `0x${vendor.toString(16)}`,
        device_id: `0x${id.toString(16)}`,
        ...readPairs(ort, ort.plain("HardwareDevice_Metadata", hardware) as Pointer | null),
        ...readPairs(ort, ort.plain("EpDevice_EpMetadata", pointer) as Pointer | null),
      },
    };
  });
}

function readPairs(ort: Ort, pairs: Pointer | null): Record<string, string> {
  if (pairs === null || pairs === 0n) return {};
  const [keys, values, count]: [[Pointer | null], [Pointer | null], [number | bigint]] = [[null], [null], [0]];
  ort.plain("GetKeyValuePairs", pairs, keys, values, count);
  const [names, texts] = [keys, values].map(([at]) => readPointers(ort.koffi, at, Number(count[0])));
  return Object.fromEntries(
    (names ?? []).map((name, i) => [readText(ort.koffi, name), readText(ort.koffi, texts?.[i] ?? name)]),
  );
}

/** Names of the providers that are built into the library. */
export function builtIn(ort: Ort): readonly string[] {
  const [out, count]: [[Pointer | null], [number]] = [[null], [0]];
  ort.call("GetAvailableProviders", out, count);
  const names = readPointers(ort.koffi, out[0], count[0]).map((at) => readText(ort.koffi, at));
  ort.call("ReleaseAvailableProviders", out[0], count[0]);
  return names;
}

/** Libraries that were registered, and the devices each brought; a library is registered once. */
const registered = new WeakMap<Ort, Map<string, readonly Pointer[]>>();

/** Registers a maker's library and gives the devices it brought. Throws CannotError in one sentence. */
export async function registerPlugin(ort: Ort, plugin: string): Promise<readonly EpDevice[]> {
  if (!ort.has("RegisterExecutionProviderLibrary")) {
    throw new CannotError(`${plugin}: ONNX Runtime ${ort.version} takes no providers of others; 1.22 and later do`);
  }
  // A relative path would be looked for beside ONNX Runtime's own library.
  const path = existsSync(plugin) ? resolve(plugin) : plugin;
  let known = registered.get(ort);
  if (known === undefined) registered.set(ort, (known = new Map<string, readonly Pointer[]>()));
  if (!known.has(path)) {
    const before = new Set(readEpDevices(ort).map(({ pointer }) => pointer));
    const name = nameFor(path, known.size);
    try {
      await ort.callAsync("RegisterExecutionProviderLibrary", ort.env(), name, path);
    } catch (error) {
      if (!(error instanceof CannotError)) throw error;
      throw new CannotError(`${path}: ${error.message}`, { cause: error });
    }
    known.set(
      path,
      readEpDevices(ort)
        .map(({ pointer }) => pointer)
        .filter((pointer) => !before.has(pointer)),
    );
  }
  const brought = known.get(path) ?? [];
  return readEpDevices(ort).filter(({ pointer }) => brought.includes(pointer));
}

/** Under which name a library is registered. Some providers take it for their own, and QNN's is known by one. */
function nameFor(path: string, others: number): string {
  const file = basename(path).replace(/^lib|\.so.*$/g, "");
  return `${file === "onnxruntime_providers_qnn" ? QNN : file}${others === 0 ? "" : `.${others}`}`;
}

/** All of it for `probe`. */
export async function seen(ort: Ort, plugin: string | undefined): Promise<readonly Seen[]> {
  if (plugin !== undefined) await registerPlugin(ort, plugin);
  const devices = ort.has("GetEpDevices") ? readEpDevices(ort) : [];
  const listed = devices.map((device, at): Seen => {
    const family = familyOf(device);
    const before = devices.slice(0, at).filter(({ provider }) => provider === device.provider).length;
    const maker = device.facts["device_vendor"] ?? "";
    return {
      id: `${device.provider}.${before}`,
      name: `${device.kind}${maker === "" ? "" : ` of ${maker}`}`,
      ...(family === undefined ? {} : { device: family }),
      facts: device.facts,
    };
  });
  const further = builtIn(ort).filter((name) => !devices.some(({ provider }) => provider === name));
  return [...listed, ...further.map((id): Seen => ({ id, name: "built in; its devices are not listed" }))];
}
