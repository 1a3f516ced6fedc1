/**
 * The PJRT C API: one ABI that plug-ins for Cloud TPU, Neuron, Tenstorrent, CUDA and ROCm speak, and XLA's own CPU one. Runs StableHLO
 * (text or bytecode) on one device. Options that begin with "xla_" are flags of the compilation, all others are the client's, as the
 * plug-in documents them.
 */

import { CannotError } from "../base/errors.ts";
import type { Delegate, OpenOptions, Port, ProbeOptions, Session } from "./delegate.ts";
import { loadPjrt, type Pointer } from "./pjrt/api.ts";
import { closeClient, describeDevice, deviceFor, openClient, type Client } from "./pjrt/client.ts";
import { find, plugins } from "./pjrt/find.ts";
import { compile, outputPorts, readInputs } from "./pjrt/program.ts";
import { Runner } from "./pjrt/runner.ts";

const delegate: Delegate = {
  id: "pjrt",
  name: "PJRT",
  formats: ["stablehlo"],
  devices: plugins.map(({ family }) => family),
  verified:
    "vendor's library: XLA's CPU plug-in of PJRT C API 0.106 (ZML's build of 2026-06-23) on x86-64; jax-cuda13-pjrt 0.11.2 " +
    "(API 0.115) on an NVIDIA H200, outputs equal to JAX's; libtpu 0.0.52 was loaded and said that there is no device; plug-ins of Neuron, Tenstorrent and ROCm: signatures " +
    "checked against pjrt_c_api.h 0.94; not run",
  sources: [
    "https://github.com/openxla/xla/blob/main/xla/pjrt/c/pjrt_c_api.h",
    "https://openxla.org/xla/pjrt/pjrt_integration",
  ],
  manual: {
    install: [
      { command: "pip install libtpu", brings: "Cloud TPU's plug-in" },
      {
        command: "pip install jax-cuda13-pjrt",
        brings: "NVIDIA's; it needs CUDA's libraries, which jax[cuda13] brings too",
      },
    ],
    library: "a plug-in: a library with GetPjrtApi",
    plugin: "the same",
    options: [
      { name: "xla_*", says: "flags of the compilation" },
      { name: "*", says: "what the plug-in takes when its client is made" },
    ],
  },
  find: (options) => find(options),
  byRoute: (plugin) => ({ plugin }),
  supports(model) {
    const graph = model.graphs[model.main ?? 0];
    const open = graph?.inputs.some((at) => graph.tensors[at]?.shape?.some((size) => typeof size !== "number"));
    return open === true ? "its inputs leave dimensions open, and XLA compiles for shapes that are settled" : undefined;
  },
  async probe(options) {
    const client = await openClient(await load(options), {});
    try {
      return client.devices.map((device, at) => describeDevice(client, device, at));
    } finally {
      closeClient(client);
    }
  },
  async open(model, options) {
    const pjrt = await load(options, options.device.split(":", 1)[0]);
    const inputs = readInputs(model);
    const own = Object.entries(options.options ?? {});
    const flags = own.filter(([name]) => name.startsWith("xla_"));
    const client = await openClient(pjrt, Object.fromEntries(own.filter((one) => !flags.includes(one))));
    try {
      const device = deviceFor(client, options.device);
      const executable = await compile(client, model, device, Object.fromEntries(flags));
      try {
        return sessionOf(client, device, executable, inputs, options);
      } catch (error) {
        pjrt.call("LoadedExecutable_Destroy", { executable });
        throw error;
      }
    } catch (error) {
      closeClient(client);
      throw error;
    }
  },
};
export default delegate;

async function load(options: ProbeOptions, family?: string): ReturnType<typeof loadPjrt> {
  const found = find(options, family);
  if (found.state !== "read") {
    const which = family === undefined ? "" : ` for ${family}`;
    throw new CannotError(`no PJRT plug-in${which} is here (${found.why ?? `no ${found.from}`}); name one's path`);
  }
  return loadPjrt(found.value.library);
}

function sessionOf(
  client: Client,
  device: Pointer,
  loaded: Pointer,
  inputs: readonly Port[],
  { device: word, lending }: OpenOptions,
): Session {
  const { pjrt, platform } = client;
  const { executable } = pjrt.call("LoadedExecutable_GetExecutable", { loaded_executable: loaded });
  const outputs = outputPorts(pjrt, executable);
  pjrt.call("Executable_Destroy", { executable });
  const { addressable_devices: list, num_addressable_devices: count } = pjrt.call(
    "LoadedExecutable_AddressableDevices",
    {
      executable: loaded,
    },
  );
  const on = pjrt.words(list, count);
  if (on.length !== 1 || on[0] !== device) {
    throw new CannotError(
      `${word}: the plug-in compiled the program for ${on.length} devices that are not the one asked for`,
    );
  }
  const { id, name } = describeDevice(client, device, 0);
  const runner = new Runner({ pjrt, client: client.pointer, device, executable: loaded, inputs, outputs, lending });
  const runs = new Set<Promise<unknown>>();
  let closed = false;
  return {
    inputs,
    outputs,
    version: `${client.version} (PJRT C API ${pjrt.version})`,
    placement: { device: word, says: `the plug-in of "${platform}" compiled the whole program for ${id}, ${name}` },
    run(values) {
      if (closed) return Promise.reject(new CannotError("the session is closed"));
      const running = runner.run(values).then((outputs) => ({ outputs, spans: [] }));
      const settled = running.catch(() => undefined).finally(() => runs.delete(settled));
      runs.add(settled);
      return running;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all(runs);
      pjrt.call("LoadedExecutable_Destroy", { executable: loaded });
      closeClient(client);
    },
  };
}
