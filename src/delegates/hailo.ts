/**
 * Hailo's accelerators by HailoRT (libhailort), which runs models that the Dataflow Compiler made for one chip (.hef). One device, one
 * network group, frames through virtual streams. https://github.com/hailo-ai/hailort
 */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Structs } from "../base/c-struct.ts";
import { CannotError, FileError } from "../base/errors.ts";
import { absent, read, valueOf, type Reading } from "../base/reading.ts";
import { readLibraries } from "../facts/libraries.ts";
import { openLive } from "../root/directory.ts";
import type { Delegate, FindOptions, Found, OpenOptions, Port, Seen, Session } from "./delegate.ts";
import {
  architectures,
  DEVICES,
  GROUPS,
  HailoError,
  loadHailo,
  slot,
  slots,
  structs,
  within,
  type Hailo,
} from "./hailo/api.ts";
import { openStreams, StreamRunner, type Stream, type Streams } from "./hailo/streams.ts";

const FAMILY = "hailo";
/** HAILO_INVALID_HEF, HAILO_HEF_FILE_CORRUPTED. */
const BROKEN_FILE = [26, 91];
const NAMES = ["libhailort.so.*", "libhailort.so"];
const OPTIONS = ["group_id", "multi_process_service", "timeout_ms"];

const delegate: Delegate = {
  id: "hailo",
  name: "HailoRT",
  formats: ["hef"],
  devices: [FAMILY],
  verified:
    "documents: signatures and structs checked by a C compiler against hailort.h of 4.20.0, 4.23.0 and 5.2.0, and run against a test library of the same ABI; not run on a Hailo device",
  sources: [
    "https://github.com/hailo-ai/hailort/blob/v5.2.0/hailort/libhailort/include/hailo/hailort.h",
    "https://github.com/hailo-ai/hailort/tree/v5.2.0/hailort/libhailort/examples/c",
  ],
  manual: {
    install: [
      {
        command: "sudo apt install hailo-all",
        brings: "Hailo-8 and 8L on Raspberry Pi OS (hailo-h10-all for Hailo-10); the version must equal the driver's",
      },
    ],
    library: "libhailort.so",
    options: [
      { name: "group_id", says: "sessions of one group share the device" },
      { name: "multi_process_service", says: "true shares it with other processes by HailoRT's service" },
      { name: "timeout_ms", says: "HailoRT's own limit of a transfer" },
    ],
  },
  find,
  supports: () => undefined,
  probe: async (options) => {
    const hailo = load(options);
    const seen: Seen[] = [];
    for (const id of await scan(hailo)) seen.push(await describe(hailo, id));
    return seen;
  },
  async open(model, options) {
    const hailo = load(options);
    if (!existsSync(model)) throw new CannotError(`${model}: no such file`);
    return open(hailo, model, options);
  },
};
export default delegate;

function find({ library, environments = [] }: FindOptions): Reading<Found> {
  const found = (path: string): Found => {
    const version = /\.so\.(\d+\.\d+\.\d+)$/.exec(basename(path))?.[1];
    return version === undefined ? { library: path } : { library: path, version };
  };
  if (library !== undefined) return existsSync(library) ? read(found(library), library) : absent(library);
  const libraries = valueOf(readLibraries(openLive(), environments));
  for (const name of NAMES) {
    const known = libraries === undefined ? undefined : valueOf(libraries.find(name))?.[0];
    if (known !== undefined) return read(found(known.path), known.path);
  }
  return absent("libhailort.so", "not among the loader's libraries");
}

function load(options: FindOptions): Hailo {
  const found = find(options);
  if (found.state !== "read") {
    throw new CannotError(
      `HailoRT is not here (${found.from}): install hailort of the driver's release, or name its libhailort.so`,
    );
  }
  return loadHailo(found.value.library);
}

async function scan(hailo: Hailo): Promise<string[]> {
  const ids = new Structs(structs.hailo_device_id_t, DEVICES);
  const count = slots(1, DEVICES);
  await hailo.callAsync("hailo_scan_devices", null, ids.buffer, count);
  return Array.from({ length: Math.min(Number(slot(count)), DEVICES) }, (_, at) => ids.text("id", at));
}

async function describe(hailo: Hailo, id: string): Promise<Seen> {
  const name = new Structs(structs.hailo_device_id_t);
  name.buffer.write(id, "latin1");
  const device = slots(1);
  try {
    await hailo.callAsync("hailo_create_device_by_id", name.buffer, device);
  } catch (error) {
    if (!(error instanceof HailoError)) throw error;
    return { id, name: "Hailo device", device: FAMILY, facts: { refuses: error.message } };
  }
  try {
    const { architecture, firmware, board } = await identify(hailo, slot(device));
    return { id, name: architecture, device: FAMILY, facts: { firmware, board, library: hailo.version } };
  } finally {
    hailo.call("hailo_release_device", slot(device));
  }
}

interface Identity {
  readonly architecture: string;
  readonly firmware: string;
  readonly board: string;
}

async function identify(hailo: Hailo, device: bigint): Promise<Identity> {
  const identity = new Structs(structs.hailo_device_identity_t);
  await hailo.callAsync("hailo_identify", device, identity.buffer);
  const firmware = within(identity.buffer, structs.hailo_device_identity_t.at.fw_version, structs.hailo_version_t);
  const number = identity.get("device_architecture");
  return {
    architecture: architectures[number] ?? `Hailo device of architecture ${number}`,
    firmware: `${firmware.get("major")}.${firmware.get("minor")}.${firmware.get("revision")}`,
    board: identity.text("board_name"),
  };
}

async function open(hailo: Hailo, model: string, options: OpenOptions): Promise<Session> {
  const { timeout_ms: timeout } = options.options ?? {};
  const waits = timeout === undefined ? undefined : Number(timeout);
  if (waits !== undefined && !(Number.isInteger(waits) && waits > 0 && waits < 2 ** 31)) {
    throw new CannotError(`timeout_ms=${String(timeout)}: it is a whole number of milliseconds`);
  }
  /** What was made, to be freed in the opposite order. */
  const made: (() => void)[] = [];
  const free = (): void => {
    for (const one of made.splice(0).reverse()) {
      try {
        one();
      } catch (error) {
        // A device that is gone refuses to be released; what follows must be all the same.
        if (!(error instanceof HailoError)) throw error;
      }
    }
  };
  try {
    const device = await createDevice(hailo, options);
    made.push(() => hailo.call("hailo_release_vdevice", device));
    const group = await configure(hailo, device, model, made);
    const streams = (which: "input" | "output"): Streams => {
      const opened = openStreams(hailo, group, which, waits);
      made.push(() => opened.release());
      return opened;
    };
    const [inputs, outputs] = [streams("input").list, streams("output").list];
    const runner = new StreamRunner(hailo, inputs, outputs, options.lending);
    return sessionOf(hailo, { inputs, outputs, runner, free }, await whereOf(hailo, device));
  } catch (error) {
    free();
    throw error;
  }
}

/** "hailo:1" is the second device of the scan. */
async function createDevice(hailo: Hailo, { device, options = {} }: OpenOptions): Promise<bigint> {
  const which = new RegExp(`^${FAMILY}(?::(\\d+))?$`).exec(device);
  if (which === null)
    throw new CannotError(`HailoRT runs on ${FAMILY}, and on "${FAMILY}:0" one of several; not on "${device}"`);
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined)
    throw new CannotError(`HailoRT takes no option "${unknown}"; it takes ${OPTIONS.join(", ")}`);
  const params = new Structs(structs.hailo_vdevice_params_t);
  hailo.call("hailo_init_vdevice_params", params.buffer);
  const { koffi } = hailo.library;
  const id = new Structs(structs.hailo_device_id_t);
  if (which[1] !== undefined) {
    const ids = await scan(hailo);
    const chosen = ids[Number(which[1])];
    if (chosen === undefined)
      throw new CannotError(`${device}: HailoRT sees ${ids.length === 0 ? "no device" : ids.join(", ")}`);
    id.buffer.write(chosen, "latin1");
    params.set("device_count", 1);
    params.set("device_ids", koffi.address(id.buffer));
  }
  const { group_id: group, multi_process_service: service } = options;
  const text = Buffer.allocUnsafeSlow(Buffer.byteLength(group ?? "") + 1).fill(0);
  text.write(group ?? "");
  if (group !== undefined) params.set("group_id", koffi.address(text));
  if (service !== undefined) {
    if (service !== "true" && service !== "false")
      throw new CannotError(`multi_process_service=${service}: it is true or false`);
    params.set("multi_process_service", service === "true" ? 1 : 0);
  }
  const out = slots(1);
  // The library reads through params' pointers while it runs on another thread.
  pointed.add(id).add(text);
  try {
    await hailo.callAsync("hailo_create_vdevice", params.buffer, out);
  } finally {
    pointed.delete(id);
    pointed.delete(text);
  }
  return slot(out);
}

const pointed = new Set<unknown>();

async function configure(hailo: Hailo, device: bigint, model: string, made: (() => void)[]): Promise<bigint> {
  const [hef, groups, count] = [slots(1), slots(GROUPS), slots(1, GROUPS)];
  try {
    await hailo.callAsync("hailo_create_hef_file", hef, model);
    made.push(() => hailo.call("hailo_release_hef", slot(hef)));
    await hailo.callAsync("hailo_configure_vdevice", device, slot(hef), null, groups, count);
  } catch (error) {
    if (!(error instanceof HailoError)) throw error;
    if (BROKEN_FILE.includes(error.status)) throw new FileError(model, error.message, undefined, { cause: error });
    throw new CannotError(`${model}: ${error.message}`, { cause: error });
  }
  const found = Number(slot(count));
  if (found !== 1) throw new CannotError(`${model}: it holds ${found} network groups; files with one are run here`);
  return slot(groups);
}

/** "Hailo-8L with firmware 4.23.0", where the service does not hide it. */
async function whereOf(hailo: Hailo, device: bigint): Promise<string> {
  const [devices, count] = [slots(DEVICES), slots(1, DEVICES)];
  try {
    hailo.call("hailo_get_physical_devices", device, devices, count);
    const { architecture, firmware } = await identify(hailo, slot(devices));
    return `a ${architecture} with firmware ${firmware}`;
  } catch (error) {
    if (error instanceof HailoError) return `a device that it does not tell more of (${error.message})`;
    throw error;
  }
}

interface Parts {
  readonly inputs: readonly Stream[];
  readonly outputs: readonly Stream[];
  readonly runner: StreamRunner;
  readonly free: () => void;
}

function sessionOf(hailo: Hailo, { inputs, outputs, runner, free }: Parts, where: string): Session {
  let closed = false;
  /** Frames of two runs must not mix. */
  let last: Promise<unknown> = Promise.resolve();
  return {
    inputs: inputs.map(portOf),
    outputs: outputs.map(portOf),
    version: hailo.version,
    placement: { device: FAMILY, says: `HailoRT ${hailo.version} configured ${where} with the model` },
    run(values) {
      if (closed) return Promise.reject(new CannotError("the session is closed"));
      const running = last.then(() => runner.run(values));
      last = running.catch(() => undefined);
      return running;
    },
    async close() {
      if (!closed) {
        closed = true;
        last = last.then(free);
      }
      await last;
    },
  };
}

const portOf = ({ name, type, shape, quantization }: Stream): Port => ({
  name,
  type,
  shape,
  ...(quantization === undefined ? {} : { quantization }),
});
