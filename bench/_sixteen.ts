/**
 * A machine that nobody has: sixteen accelerators of eight families with all that their drivers tell, and 400 processes with 30 open
 * files each, four of which compute. Made up, in a temporary directory, and read as the live machine is: through the kernel's own calls.
 */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { read, type Reading } from "../src/base/reading.ts";
import { openLive } from "../src/root/directory.ts";
import type { Root } from "../src/root/root.ts";
import { hwmon, node, pci, pciPath, process as running, type Files } from "../test/watch/machine.ts";

const sensors = (name: string): Files => ({
  name: `${name}\n`,
  ...Object.fromEntries(
    ["edge", "junction", "mem"].flatMap((label, at) => [
      [`temp${at + 1}_input`, "41000\n"],
      [`temp${at + 1}_crit`, "100000\n"],
      [`temp${at + 1}_label`, `${label}\n`],
    ]),
  ),
  power1_average: "120000000\n",
  power1_cap: "300000000\n",
  energy1_input: "123456789\n",
  fan1_input: "1200\n",
  in0_input: "850\n",
  freq1_input: "1500000000\n",
});
const link: Files = {
  current_link_speed: "16.0 GT/s PCIe\n",
  current_link_width: "16\n",
  max_link_speed: "16.0 GT/s PCIe\n",
  max_link_width: "16\n",
  aer_dev_correctable: "RxErr 0\nTOTAL_ERR_COR 0\n",
  aer_dev_nonfatal: "Undefined 0\nTOTAL_ERR_NONFATAL 0\n",
  aer_dev_fatal: "Undefined 0\nTOTAL_ERR_FATAL 0\n",
  "power/runtime_active_time": "100\n",
  "power/control": "auto\n",
};

const KINDS: readonly {
  readonly id: string;
  readonly klass: string;
  readonly driver: string;
  readonly files: Files;
}[] = [
  {
    id: "1002:73bf",
    klass: "030000",
    driver: "amdgpu",
    files: {
      gpu_busy_percent: "37\n",
      mem_busy_percent: "12\n",
      mem_info_vram_used: "1073741824\n",
      mem_info_vram_total: "17163091968\n",
      mem_info_gtt_used: "1048576\n",
      mem_info_gtt_total: "8589934592\n",
      pcie_replay_count: "0\n",
    },
  },
  {
    id: "8086:56a0",
    klass: "030000",
    driver: "xe",
    files: Object.fromEntries(
      ["gt0", "gt1"].flatMap((gt) => [
        [`tile0/${gt}/freq0/act_freq`, "1300\n"],
        [`tile0/${gt}/freq0/max_freq`, "2400\n"],
        [`tile0/${gt}/freq0/throttle/status`, "0\n"],
        [`tile0/${gt}/gtidle/idle_residency_ms`, "1000\n"],
      ]),
    ),
  },
  {
    id: "8086:7d1d",
    klass: "120000",
    driver: "intel_vpu",
    files: {
      npu_busy_time_us: "1000000\n",
      npu_memory_utilization: "4096\n",
      "freq/current_freq": "900\n",
      "freq/hw_max_freq": "1400\n",
      "freq/hw_min_freq": "400\n",
    },
  },
  { id: "1e52:401e", klass: "120000", driver: "tenstorrent", files: {} },
];

const SLOTS = Array.from({ length: 16 }, (_, i) => `0000:00:${(i + 2).toString(16).padStart(2, "0")}.0`);

export function sixteenDevices(): { root: Root; devices: number; close: () => void } {
  const files: Record<string, Files[string]> = {
    "/proc/version": "Linux version 6.18.0 (a@b) #1 SMP\n",
    "/proc/stat": "cpu  1 0 0 1 0 0 0 0 0 0\n",
    "/sys/kernel/uevent_seqnum": "1\n",
  };
  for (const [at, slot] of SLOTS.entries()) {
    const kind = KINDS[at % KINDS.length];
    if (kind === undefined) continue;
    Object.assign(
      files,
      pci(slot, kind.id, kind.klass, kind.driver, { ...link, ...kind.files }),
      node(
        pciPath(slot),
        kind.klass === "030000" ? "drm" : "accel",
        kind.klass === "030000" ? `renderD${128 + at}` : `accel${at}`,
      ),
      hwmon(pciPath(slot), at, sensors(kind.driver)),
    );
  }
  const info =
    "pos:\t0\ndrm-driver:\txe\ndrm-client-id:\t3\ndrm-cycles-ccs:\t5\ndrm-total-cycles-ccs:\t9\ndrm-resident-vram0:\t4 MiB\n";
  for (let pid = 1; pid <= 400; pid++) {
    const open = Object.fromEntries(
      Array.from({ length: 30 }, (_, fd): [string, readonly [string, string?]] => [String(fd), ["/dev/null"]]),
    );
    if (pid % 100 === 0) open["30"] = ["/dev/dri/renderD129", info];
    Object.assign(files, running(pid, "worker", open));
  }
  const base = mkdtempSync(join(tmpdir(), "accelctl-sixteen-"));
  for (const [path, content] of Object.entries(files)) {
    const full = join(base, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof content === "string" && content.startsWith("-> ")) {
      const target = content.slice(3);
      symlinkSync(target.startsWith("/sys/") ? relative(dirname(full), join(base, target)) : target, full);
    } else if (content !== null) writeFileSync(full, content);
  }
  return { root: below(base), devices: SLOTS.length, close: () => rmSync(base, { recursive: true, force: true }) };
}

/** The live machine's way of reading, somewhere else. */
function below(base: string): Root {
  const live = openLive();
  const back = (reading: Reading<string>): Reading<string> =>
    reading.state === "read" && reading.value.startsWith(base)
      ? read(reading.value.slice(base.length), reading.from)
      : reading;
  return {
    kind: "live",
    name: "sixteen made-up accelerators",
    text: (path) => live.text(base + path),
    bytes: (path) => live.bytes(base + path),
    slice: (path, offset, length) => live.slice(base + path, offset, length),
    list: (path) => live.list(base + path),
    link: (path) => live.link(base + path),
    real: (path) => back(live.real(base + path)),
    stat: (path) => live.stat(base + path),
    access: (path) => live.access(base + path),
    ask: (path, ask) => live.ask(base + path, ask),
  };
}
