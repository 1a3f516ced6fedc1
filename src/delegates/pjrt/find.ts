/**
 * Where plug-ins of the PJRT C API lie: in Python packages, as JAX and PyTorch/XLA look for them, and where the loader looks.
 * https://docs.jax.dev/en/latest/developer.html, https://openxla.org/xla/pjrt/pjrt_integration
 */

import { existsSync } from "node:fs";
import { absent, read, valueOf, type Reading } from "../../base/reading.ts";
import { usualEnvironments } from "../../facts/environments.ts";
import { readLibraries } from "../../facts/libraries.ts";
import { expand } from "../../facts/library-places.ts";
import { sitePackages } from "../../facts/python.ts";
import { openLive } from "../../root/directory.ts";
import type { Found, ProbeOptions } from "../delegate.ts";

interface Plugin {
  /** Family of the catalogue. */
  readonly family: string;
  /** What PJRT_Client_PlatformName answers. */
  readonly platforms: readonly string[];
  /** In a directory of Python packages; may hold `*`. */
  readonly packages: readonly string[];
  /** As the loader knows it. */
  readonly library?: string;
}

/** Names and places as the packages that ship them have them: libtpu, jax-cuda13-pjrt, jax-rocm7-pjrt, libneuronxla, tt-xla. */
export const plugins: readonly Plugin[] = [
  { family: "cloud-tpu", platforms: ["tpu"], packages: ["libtpu/libtpu.so"], library: "libtpu.so" },
  {
    family: "tenstorrent",
    platforms: ["tt"],
    packages: ["pjrt_plugin_tt/pjrt_plugin_tt.so", "jax_plugins/pjrt_plugin_tt/pjrt_plugin_tt.so"],
  },
  { family: "aws-neuron", platforms: ["neuron"], packages: ["libneuronxla/libneuronpjrt.so"] },
  { family: "nvidia", platforms: ["cuda"], packages: ["jax_plugins/xla_cuda*/xla_cuda_plugin.so"] },
  { family: "amd-rocm", platforms: ["rocm"], packages: ["jax_plugins/xla_rocm*/xla_rocm_plugin.so"] },
  { family: "cpu", platforms: ["cpu"], packages: [], library: "libpjrt_cpu.so" },
];

/** What the user names; else of the family, or of any. */
export function find(
  { library, plugin = library, environments: named = [] }: ProbeOptions,
  family?: string,
): Reading<Found> {
  if (plugin !== undefined) return existsSync(plugin) ? read({ library: plugin }, plugin) : absent(plugin);
  const root = openLive();
  // Environments come last there; what the user turned on counts first.
  const directories = sitePackages(root, [...usualEnvironments(), ...named]).directories.toReversed();
  const libraries = readLibraries(root, named);
  const rows = plugins.filter((row) => family === undefined || row.family === family);
  for (const { packages, library: name } of rows) {
    for (const directory of directories) {
      const path = packages.flatMap((place) => expand(root, `${directory}/${place}`)).find((one) => existsSync(one));
      if (path !== undefined) return read({ library: path }, path);
    }
    const known =
      name === undefined || libraries.state !== "read" ? undefined : valueOf(libraries.value.find(name))?.[0];
    if (known !== undefined) return read({ library: known.path }, known.path);
  }
  return absent("PJRT plug-in", "neither in Python packages nor among the loader's libraries");
}
