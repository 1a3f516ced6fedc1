/**
 * What else a terminal session shows: prompts with the command that was run, contents of files, listings of /dev, loaded modules,
 * kernel releases, DKMS states, a board's device tree names and clocks. Only forms that say one thing are read; prose is passed over.
 */

import type { PastedMachine } from "./paste-machine.ts";

/** Bytes of one file and files in all that a text may bring. */
const CONTENT_LIMIT = 4 * 1024 * 1024;

export class ShellReader {
  readonly #machine: PastedMachine;
  #command = "";
  #directory: string | undefined;
  #file: { path: string; lines: string[]; size: number; header: boolean } | undefined;
  #compatible = false;

  constructor(machine: PastedMachine) {
    this.#machine = machine;
  }

  /** Is this line a command that was typed, or a header that names a file? What follows belongs to it. */
  startsCommand(line: string): boolean {
    const header = /^==>? ?(\S+)(?: <==)?\s*$/.exec(line)?.[1];
    if (header !== undefined) {
      this.#closeFile();
      const path = placeOf(header);
      this.#file = { path: path ?? "", lines: [], size: 0, header: true };
      return true;
    }
    const typed = commandIn(line);
    if (typed === undefined) return false;
    this.#closeFile();
    this.#command = typed;
    this.#directory = undefined;
    this.#compatible = false;
    const [program = "", ...args] = typed.replace(/^sudo\s+(-\S+\s+)*/, "").split(/\s+/);
    const piped = typed.includes("|");
    if (program === "lspci") this.#machine.pciAsked = true;
    if (program === "lsusb") this.#machine.usbAsked = true;
    const target = args.filter((arg) => arg.startsWith("/"));
    const [path] = target;
    if (program === "cat" && path !== undefined && target.length === 1 && !piped && isKernelPath(path)) {
      this.#file = { path, lines: [], size: 0, header: false };
    }
    if (/^(ls|ll)$/.test(program) && path !== undefined && !piped) this.#directory = path.replace(/\/+$/, "");
    return true;
  }

  blank(): void {
    if (this.#file?.header === false) this.#closeFile();
  }

  /** Lines of a file that is being shown. */
  inFile(line: string): boolean {
    const file = this.#file;
    if (file === undefined) return false;
    if (!file.header && /^(cat: |sudo: |bash: )/.test(line)) {
      this.#file = undefined;
      return false;
    }
    if (file.path !== "" && file.size < CONTENT_LIMIT) file.lines.push(line);
    file.size += line.length + 1;
    return true;
  }

  line(line: string): void {
    this.#missing(line);
    this.#listing(line);
    this.#module(line);
    this.#kernel(line);
    this.#attribute(line);
    this.#board(line);
    this.#dkms(line);
  }

  finish(): void {
    this.#closeFile();
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined && file.path !== "" && file.lines.length > 0) {
      this.#machine.file(file.path, `${file.lines.join("\n")}\n`);
      const release =
        file.path === "/proc/version" ? /^Linux version (\S{1,120})/.exec(file.lines[0] ?? "")?.[1] : undefined;
      if (release !== undefined) this.#machine.release ??= release;
    }
  }

  #missing(line: string): void {
    const path = /(?:cannot access|cat:) '?(\/(?:dev|sys|proc)\/[\w./:*?-]{1,120})'?: No such file or directory/.exec(
      line,
    )?.[1];
    if (path === undefined) return;
    // A glob that fits nothing: the plain name and number 0 are not there.
    const stem = path.replace(/[*?].*$/, "");
    if (stem === path) this.#machine.absent.add(path);
    else if (/[\w]$/.test(stem)) for (const name of [stem, `${stem}0`]) this.#machine.absent.add(name);
  }

  #listing(line: string): void {
    const long =
      /^\s*(?:\d+ )?c([rwxsStT-]{9})[+.@]?\s+\d+ (\S{1,32})\s+(\S{1,32})\s+(\d{1,4}), *(\d{1,7}) .{6,40}? (\S+)\s*$/.exec(
        line,
      );
    if (long !== null) {
      const [, bits = "", owner = "", group = "", major = "", minor = "", name = ""] = long;
      const path = name.startsWith("/") ? name : `${this.#directoryOf(name, Number(major))}/${name}`;
      if (!isNode(path)) return;
      Object.assign(this.#machine.nodeAt(path), {
        mode: modeOf(bits),
        owner,
        group,
        major: Number(major),
        minor: Number(minor),
      });
      return;
    }
    // "/dev/accel/accel0  (crw-rw---- root:render)", and ls without -l.
    const short =
      /(?:^|[\s"(:])(\/dev\/[\w/.-]{1,60}\d|\/dev\/(?:kfd|galcore|rknpu|mma|vipcore))(?:\s+\(c([rwxsStT-]{9})\+? (\w{1,32}):(\w{1,32})\))?/.exec(
        line,
      );
    if (short === null || /cannot access|no such file|denied|not permitted|missing|opens?\b/i.test(line)) {
      if (/\(Operation not permitted\)|: Permission denied/.test(line) && short !== null)
        this.#machine.nodeAt(short[1] ?? "");
      return;
    }
    const [, path = "", bits, owner, group] = short;
    const alone = line.trim() === path;
    if (!isNode(path) || (bits === undefined && !alone)) return;
    const node = this.#machine.nodeAt(path);
    if (bits !== undefined && owner !== undefined && group !== undefined)
      Object.assign(node, { mode: modeOf(bits), owner, group });
  }

  #directoryOf(name: string, major: number): string {
    const shown = this.#directory;
    if (shown?.startsWith("/dev") === true && !shown.endsWith(name)) return shown;
    if (major === 226) return "/dev/dri";
    return /^accel\d/.test(name) && major !== 120 ? "/dev/accel" : "/dev";
  }

  #module(line: string): void {
    if (/^\s*Module\s+Size\s+Used by\s*$/.test(line)) {
      this.#machine.modulesWhole = !/\|\s*(e?grep|rg|head|tail)\b/.test(this.#command);
      return;
    }
    const found =
      /^(?:\s*lsmod:\s*)?\s*([a-z][\w-]{1,60})\s+(\d{3,9})\s+(\d{1,5})(?:\s+([\w,-]+(?:\s*,\s*[\w,-]+)*))?\s*$/i.exec(
        line,
      );
    if (found === null) return;
    const [, name = "", size = "", used = "", by] = found;
    const users = by === undefined ? "-" : `${by.replace(/\s+/g, "").replace(/,$/, "")},`;
    this.#machine.modules.set(
      name.replaceAll("-", "_"),
      `${name.replaceAll("-", "_")} ${size} ${used} ${users} Live 0x0000000000000000`,
    );
  }

  #kernel(line: string): void {
    const machine = this.#machine;
    const uname =
      /\bLinux \S{1,64} (\d+\.\d+\S{0,80}) (#\S.*?)\s+(x86_64|aarch64|armv\w+|riscv64|i[3-6]86|ppc64le|loongarch64)\b/.exec(
        line,
      );
    if (uname !== null) {
      machine.release ??= uname[1] ?? "";
      machine.version ??= uname[2] ?? "";
      machine.arch ??= uname[3] ?? "";
      return;
    }
    const release =
      /^\s*Kernel: (\d+\.\d+\S{0,80})\/(\w+)\s*$/.exec(line) ??
      /^Linux (\d+\.\d+[^\s()]{0,80}) (?:\([^)]*\)\s.*\s_(\w+)_|(x86_64|aarch64))/.exec(line) ??
      /^\s*kernel:\s+(\d+\.\d+\.\d+\S{0,80})\b/i.exec(line) ??
      /\(Kernel (\d+\.\d+\.\d+[^\s)]{0,80})\)/.exec(line) ??
      (/\buname -r\b/.test(this.#command) ? /^(\d+\.\d+\.\d+\S{0,80})\s*$/.exec(line) : null);
    if (release !== null) {
      machine.release ??= release[1] ?? "";
      const arch = release[2] ?? release[3];
      if (arch !== undefined && /^(x86_64|aarch64|armv\w+|riscv64)$/.test(arch)) machine.arch ??= arch;
    }
  }

  // "/sys/devices/.../runtime_status = active", and the one line of the vendor's NPU driver that people paste alone.
  #attribute(line: string): void {
    const written = /^\s*(\/sys\/[\w./:@-]{1,200}) = (\S.{0,400})$/.exec(line);
    if (written !== null) {
      const [, path = "", value = ""] = written;
      this.#machine.file(path, `${value.trimEnd().replaceAll("\\n", "\n")}\n`);
      const device = /^\/sys\/devices\/platform\/([0-9a-f]{5,16}\.[\w-]+)\//.exec(path)?.[1];
      if (device !== undefined) this.#machine.platformAt(device);
      const governed = /^\/sys\/class\/devfreq\/([0-9a-f]{5,16}\.[\w-]+)\/governor$/.exec(path)?.[1];
      if (governed !== undefined) this.#governor(governed, value);
      return;
    }
    const version =
      /^RKNPU driver: v(\d+\.\d+\.\d+)\s*$/.exec(line) ??
      /\brknpu driver version: (\d+\.\d+\.\d+)\b/.exec(line) ??
      /\bRKNN Driver Information, version: (\d+\.\d+\.\d+)\b/.exec(line);
    if (version !== null) this.#machine.file("/sys/kernel/debug/rknpu/version", `RKNPU driver: v${version[1] ?? ""}\n`);
    const node =
      /\b([a-z][\w-]{1,30})@([0-9a-f]{5,16})\b.{0,40}\bcompatible = ("[\w.,+-]{3,60}"(?:, "[\w.,+-]{3,60}")*)/.exec(
        line,
      );
    if (node === null) return;
    const [, name = "", address = "", compatible = ""] = node;
    const path = `/sys/firmware/devicetree/base/${name}@${address}`;
    this.#machine.file(`${path}/compatible`, `${compatible.replaceAll('"', "").split(", ").join("\0")}\0`);
    this.#machine.platformAt(`${address}.${name}`);
    this.#machine.links.set(`/sys/bus/platform/devices/${address}.${name}/of_node`, path);
  }

  // sbc-bench: "DT compat: a" with more below it, and "  * fdab0000.npu: performance / 1000 MHz (governors / clocks)".
  #board(line: string): void {
    const first = /^\s*DT compat: (\S+)\s*$/.exec(line)?.[1];
    const more = this.#compatible ? /^\s{6,}([\w.-]+,[\w.,+-]+)\s*$/.exec(line)?.[1] : undefined;
    this.#compatible = first !== undefined || more !== undefined;
    const name = first ?? more;
    if (name !== undefined) {
      const path = "/sys/firmware/devicetree/base/compatible";
      const before = first === undefined ? (this.#machine.files.get(path) ?? "") : "";
      this.#machine.file(path, `${before}${name}\0`);
    }
    const clock = /^\s*\*? ?([0-9a-f]{5,16}\.[\w-]+): \w+ \/ (\d{1,5}) MHz(?: \(([\w ]{1,300}) \/)?/.exec(line);
    if (clock === null) return;
    const [, device = "", , governors = ""] = clock;
    this.#machine.platformAt(device);
    this.#machine.listed.add("/sys/class/devfreq");
    this.#machine.links.set(`/sys/class/devfreq/${device}/device`, `/sys/bus/platform/devices/${device}`);
    if (governors !== "") {
      this.#machine.file(`/sys/class/devfreq/${device}/available_governors`, `${governors}\n`);
      this.#governor(device, governors);
    }
  }

  // The vendor's driver brings this governor; a devfreq device of an NPU beside it is made by that driver.
  #governor(device: string, governors: string): void {
    if (device.endsWith(".npu") && governors.includes("rknpu_ondemand"))
      this.#machine.platformAt(device).claimedBy ??= "RKNPU";
  }

  // dkms status: "gasket/1.0, 6.8.0-45-generic, x86_64: installed", older: "amdgpu, 2.1-96, 4.15.0-45-generic, x86_64: installed"
  #dkms(line: string): void {
    const found =
      /^([\w.+-]{1,60})(?:\/|, )([\w.+~-]{1,60}), (\d+\.\d+[\w.+~-]{1,80}), (\w{1,20}): (installed|built|added)/.exec(
        line,
      );
    if (found === null) return;
    const [, name = "", version = "", release = "", arch = "", state = ""] = found;
    const base = `/var/lib/dkms/${name}`;
    for (const path of ["/var/lib/dkms", base, `${base}/${version}`]) this.#machine.listed.add(path);
    if (state === "added") return;
    for (const path of [`${base}/${version}/${release}`, `${base}/${version}/${release}/${arch}`])
      this.#machine.listed.add(path);
    this.#machine.listed.add(`${base}/${version}/${release}/${arch}/module`);
    if (state === "installed")
      this.#machine.links.set(`${base}/kernel-${release}-${arch}`, `${version}/${release}/${arch}`);
  }
}

const PROGRAMS =
  "lspci|lsusb|usb-devices|lshw|dmesg|journalctl|ls|ll|lsmod|modinfo|modprobe|insmod|cat|uname|dkms|find|apt|apt-get|yum|groups|id|python3?|npu-smi|hl-smi|nvidia-smi|rocminfo|xrt-smi|xpu-smi|tt-smi|bm-smi";
const PROMPTED = new RegExp(
  `^\\s*(?:(?:\\([\\w.-]+\\) ?)?(?:\\[?[\\w.-]+@[\\w.-]+[^$#]{0,80}|[\\w./~:-]{0,60})[$#>❯]|[$#>❯➜])\\s+((?:sudo |time )?(?:${PROGRAMS})\\b.*)$`,
);
const BARE = new RegExp(
  "^\\s*((?:sudo )?(?:lspci|lsusb|lsmod|usb-devices|lshw|dmesg|journalctl)(?:\\s+-[\\w:=' -]+)*(?:\\s*\\|.*)?|(?:sudo )?(?:ls|ll|cat) (?:-\\w+ )*/\\S+(?:\\s*\\|.*)?|uname -\\w+|dkms status.*)\\s*$",
);

function commandIn(line: string): string | undefined {
  return PROMPTED.exec(line)?.[1] ?? BARE.exec(line)?.[1];
}

const isKernelPath = (path: string): boolean =>
  /^\/(sys|proc|etc|boot|lib|usr|var)\/[\w./:@+,-]{1,200}$/.test(path) && !path.split("/").includes("..");

const isNode = (path: string): boolean => /^\/dev\/(?!\.)[\w./-]{1,60}$/.test(path) && !path.split("/").includes("..");

/** Where a file of a flattened tree stood; undefined for what is of no known place. */
function placeOf(header: string): string | undefined {
  const absolute = /(?:^|[^/]*)(\/(?:sys|proc)\/[\w./:@-]{1,200})$/.exec(header)?.[1];
  if (absolute !== undefined) return absolute;
  const topology = /(?:^|\/)topology\/((?:nodes|generation_id|system_properties)[\w./-]{0,80})$/.exec(header)?.[1];
  if (topology !== undefined) return `/sys/class/kfd/kfd/topology/${topology}`;
  const debug = /(?:^|\/)(amdgpu_\w{1,60})$/.exec(header)?.[1];
  return debug === undefined ? undefined : `/sys/kernel/debug/dri/0/${debug}`;
}

/** "rw-rw----" as permission bits. */
function modeOf(bits: string): number {
  let mode = 0;
  for (const [i, letter] of bits.split("").entries()) {
    if (letter === "r" || letter === "w" || letter === "x") mode |= 1 << (8 - i);
    if (letter === "s" || letter === "t") mode |= (1 << (8 - i)) | (0o1000 << (2 - Math.floor(i / 3)));
  }
  return mode;
}
