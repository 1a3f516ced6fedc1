/** A client of a plug-in: the platform it is of, its devices, what a device says of itself. */

import { CannotError } from "../../base/errors.ts";
import type { Seen } from "../delegate.ts";
import { structOf, zeroed, type Pjrt, type Pointer } from "./api.ts";
import { plugins } from "./find.ts";

/** PJRT_NamedValue_Type */
const [STRING, INT64, INT64_LIST, FLOAT, BOOL] = [0, 1, 2, 3, 4];
/** struct_size, extension_start, name, its size, type, value, its size */
const NAMED_VALUE_WORDS = 7;
/** No host has more. */
const DEVICES_LIMIT = 4096;
const ATTRIBUTES_LIMIT = 256;

export interface Client {
  readonly pjrt: Pjrt;
  readonly pointer: Pointer;
  /** The plug-in's own word: "cpu", "tpu", "cuda". */
  readonly platform: string;
  readonly version: string;
  readonly devices: readonly Pointer[];
}

/** Options become named values: whole numbers, true and false as such, all else as text. */
export async function openClient(pjrt: Pjrt, options: Readonly<Record<string, string>>): Promise<Client> {
  const values = zeroed(Object.keys(options).length * NAMED_VALUE_WORDS);
  const held: unknown[] = [values];
  Object.entries(options).forEach(([name, text], at) => {
    values.set(namedValue(pjrt, name, text, held), at * NAMED_VALUE_WORDS);
  });
  const { client } = await pjrt.callAsync("Client_Create", {
    create_options: pjrt.address(values),
    num_options: Object.keys(options).length,
  });
  held.length = 0; // until here
  const name = pjrt.call("Client_PlatformName", { client });
  const version = pjrt.call("Client_PlatformVersion", { client });
  const list = pjrt.call("Client_AddressableDevices", { client });
  return {
    pjrt,
    pointer: client,
    platform: pjrt.text(name.platform_name, name.platform_name_size),
    version: pjrt.text(version.platform_version, version.platform_version_size).replace(/\s+/g, " ").trim(),
    devices: pjrt.words(list.addressable_devices, Math.min(Number(list.num_addressable_devices), DEVICES_LIMIT)),
  };
}

export const closeClient = ({ pjrt, pointer }: Client): void => void pjrt.call("Client_Destroy", { client: pointer });

function namedValue(pjrt: Pjrt, name: string, text: string, held: unknown[]): BigUint64Array {
  const bytes = (from: string): [Pointer, number] => {
    const own = Buffer.allocUnsafeSlow(Buffer.byteLength(from) + 1);
    own[own.write(from)] = 0;
    held.push(own);
    return [pjrt.address(own), own.length - 1];
  };
  const [nameAt, nameSize] = bytes(name);
  const base = { name: nameAt, name_size: nameSize };
  if (/^-?\d{1,18}$/.test(text)) {
    return structOf("NamedValue", { ...base, type: INT64, value: BigInt(text), value_size: 1 });
  }
  if (text === "true" || text === "false") {
    return structOf("NamedValue", { ...base, type: BOOL, value: text === "true" ? 1 : 0, value_size: 1 });
  }
  const [value, length] = bytes(text);
  return structOf("NamedValue", { ...base, type: STRING, value, value_size: length });
}

/** The family of the catalogue that a platform is; undefined for platforms nobody told us of. */
export const familyOf = (platform: string): string | undefined =>
  plugins.find(({ platforms }) => platforms.includes(platform.toLowerCase()))?.family;

/** The device that `--device` means. Throws CannotError where the plug-in is of another family or has not so many. */
export function deviceFor(client: Client, device: string): Pointer {
  const [family = "", number = "0"] = device.split(":", 2);
  const own = familyOf(client.platform);
  if (own !== family) {
    const is = own === undefined ? "which is no device known here" : `which is ${own}`;
    throw new CannotError(`${device}: ${client.pjrt.path} is a plug-in of "${client.platform}", ${is}`);
  }
  const found = client.devices[Number(number)];
  if (found === undefined) {
    throw new CannotError(
      `${device}: ${client.pjrt.path} sees ${client.devices.length} devices of "${client.platform}"`,
    );
  }
  return found;
}

export function describeDevice(client: Client, device: Pointer, at: number): Seen {
  const { pjrt, platform } = client;
  const { device_description: description } = pjrt.call("Device_GetDescription", { device });
  const of = { device_description: description };
  const kind = pjrt.call("DeviceDescription_Kind", of);
  const name = pjrt.call("DeviceDescription_ToString", of);
  const family = familyOf(platform);
  const memory = memoryOf(pjrt, device);
  return {
    id: pjrt.text(name.to_string, name.to_string_size),
    name: pjrt.text(kind.device_kind, kind.device_kind_size),
    ...(family === undefined ? {} : { device: at > 0 ? `${family}:${at}` : family }),
    ...(memory === undefined ? {} : { memory_bytes: memory }),
    facts: {
      platform,
      platform_version: client.version,
      pjrt_c_api: pjrt.version,
      ...attributesOf(pjrt, description),
    },
  };
}

/** The limit of what a program may take there; not every platform tells. */
function memoryOf(pjrt: Pjrt, device: Pointer): number | undefined {
  try {
    const stats = pjrt.call("Device_MemoryStats", { device });
    // A bool fills the first byte of its word.
    return (stats.bytes_limit_is_set & 0xffn) === 0n ? undefined : Number(BigInt.asIntN(64, stats.bytes_limit));
  } catch (error) {
    if (error instanceof CannotError) return undefined; // the platform does not tell
    throw error;
  }
}

function attributesOf(pjrt: Pjrt, description: Pointer): Record<string, string> {
  const { attributes, num_attributes: count } = pjrt.call("DeviceDescription_Attributes", {
    device_description: description,
  });
  const words = pjrt.words(attributes, Math.min(Number(count), ATTRIBUTES_LIMIT) * NAMED_VALUE_WORDS);
  const facts: Record<string, string> = {};
  for (let at = 0; at < words.length; at += NAMED_VALUE_WORDS) {
    const [, , name = 0n, nameSize = 0n, type = 0n, value = 0n, size = 0n] = words.slice(at, at + NAMED_VALUE_WORDS);
    const said = valueText(pjrt, Number(type & 0xffff_ffffn), value, size);
    if (said !== undefined) facts[pjrt.text(name, nameSize)] = said;
  }
  return facts;
}

function valueText(pjrt: Pjrt, type: number, value: bigint, size: bigint): string | undefined {
  if (type === STRING) return pjrt.text(value, size);
  if (type === INT64) return String(BigInt.asIntN(64, value));
  if (type === BOOL) return (value & 0xffn) === 0n ? "false" : "true";
  if (type === FLOAT) return String(new Float32Array(new BigUint64Array([value]).buffer)[0]);
  if (type !== INT64_LIST) return undefined;
  return pjrt
    .words(value, size)
    .map((one) => BigInt.asIntN(64, one))
    .join(", ");
}
