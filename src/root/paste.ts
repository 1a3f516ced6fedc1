/**
 * A machine out of what people paste into a bug report: lspci, lsusb, lshw, dmesg, ls -l /dev, lsmod, uname, cat of some attribute,
 * vendors' tables, device-tree source, mixed and in any order, with prompts and prose between. What the text does not hold is
 * uncaptured. paste-machine.ts says what the tree looks like, in particular the three attributes that only pasted devices have.
 */

import { FileError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import { isDts, readDts } from "./paste-dts.ts";
import { LogReader } from "./paste-log.ts";
import { PastedMachine } from "./paste-machine.ts";
import { PciReader, withDomain } from "./paste-pci.ts";
import { ShellReader } from "./paste-shell.ts";
import { UsbReader } from "./paste-usb.ts";
import type { Root } from "./root.ts";

/** Largest text taken: a kernel log with everything else is 2 MiB, the largest flattened topology seen 1.2 MiB. */
const TEXT_LIMIT = 64 * 1024 * 1024;
/** Longest line looked at whole: lspci, lsmod and kernel lines are under 1,000 characters. */
const LINE_LIMIT = 2_000;
/** Lines looked at: ten times a full log. */
const LINES_LIMIT = 400_000;

/** Text, or nearly: more than a word, no NUL byte and few control characters at its start. */
export function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 4096);
  let odd = 0;
  for (const byte of head) {
    if (byte === 0) return false;
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) odd++;
  }
  return (head.includes(10) || head.includes(32)) && odd * 20 < head.length;
}

/** Where a pasted root keeps the text itself: what programs printed is no file of the machine and may say what is wrong all the same. */
export const PASTE_PATH = "/paste";

export function openPaste(text: string | Uint8Array, name: string): Root {
  if (text.length > TEXT_LIMIT) throw new FileError(name, `${text.length} bytes, more than any pasted text has`);
  const machine = new PastedMachine();
  const whole = (typeof text === "string" ? text : utf8(text)).replace(/\r\n?/g, "\n");
  if (isDts(whole)) readDts(whole, machine);
  else readLines(whole, machine);
  machine.file(PASTE_PATH, whole);
  return machine.build(name);
}

function readLines(text: string, machine: PastedMachine): void {
  const pci = new PciReader(machine);
  const usb = new UsbReader(machine);
  const log = new LogReader(machine);
  const shell = new ShellReader(machine);
  const logLines: string[] = [];
  let logged = false;
  for (const [index, full] of text.split("\n", LINES_LIMIT).entries()) {
    const raw = full.length > LINE_LIMIT ? full.slice(0, LINE_LIMIT) : full;
    const line = raw.includes("\u001b") ? raw.replace(ESCAPES, "") : raw;
    logLines[index] = "";
    if (line.trim() === "" || shell.startsCommand(line)) {
      pci.end();
      usb.end();
      if (line.trim() === "") shell.blank();
      continue;
    }
    if (shell.inFile(line)) continue;
    if (pci.line(line) || usb.line(line)) continue;
    const isLog = log.line(line);
    if (isLog) {
      logLines[index] = line;
      logged = true;
    }
    if (!isLog) shell.line(line);
  }
  if (logged) machine.log = `${logLines.join("\n").trimEnd()}\n`;
  shell.finish();
  usb.finish();
  log.finish();
  pci.finish();
  addTopology(machine);
}

/** Colours of a terminal that were copied along. */
const ESCAPES = /\u001b\[[0-9;?]{0,16}[A-Za-z]/g;

/** KFD's topology names the PCI address of each GPU: location_id is bus, device and (for a partition) its number. */
function addTopology(machine: PastedMachine): void {
  for (const [path, content] of machine.files) {
    if (!/^\/sys\/class\/kfd\/kfd\/topology\/nodes\/\d{1,5}\/properties$/.test(path)) continue;
    const value = (key: string): number => Number(new RegExp(`^${key} (\\d{1,15})$`, "m").exec(content)?.[1] ?? NaN);
    const [vendor, device, location, domain] = ["vendor_id", "device_id", "location_id", "domain"].map(value);
    if (vendor !== 0x1002 || device === undefined || !(device > 0) || location === undefined || !(location > 0))
      continue;
    const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");
    const slot = withDomain(
      `${hex(domain ?? 0, 4)}:${hex((location >> 8) & 0xff, 2)}:${hex((location >> 3) & 0x1f, 2)}.0`,
    );
    const one = machine.pciAt(slot);
    Object.assign(one, { vendor: "1002", device: hex(device, 4), driver: "amdgpu" });
    const minor = value("drm_render_minor");
    if (minor >= 128) machine.nodeAt(`/dev/dri/renderD${minor}`).behind = `/sys/bus/pci/devices/${slot}`;
  }
}
