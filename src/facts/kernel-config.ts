/**
 * The configuration a kernel was built with. Documentation/kbuild/kconfig.rst; /proc/config.gz (CONFIG_IKCONFIG_PROC)
 *
 * A configuration has some 10,000 lines of which a review asks for fifty: symbols are searched, not parsed, until someone
 * walks over all of them.
 */

import { utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { chain, firstRead, malformed, read, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { unpack } from "../root/unpack.ts";

/** Symbol without CONFIG_ to "y", "m", "n" (written as "is not set") or its value. A symbol that is not written is invisible or unknown to that kernel. */
export type KernelConfig = ReadonlyMap<string, string>;

/** A configuration unpacks to 300 KiB; a hundred times that is something else. */
const CONFIG_LIMIT = 32 * 1024 * 1024;

/** From /proc/config.gz (only for the running release), /boot/config-RELEASE, /lib/modules/RELEASE/config. */
export function readKernelConfig(root: Root, release: string): Reading<KernelConfig> {
  const places = [
    `/boot/config-${release}`,
    `/lib/modules/${release}/config`,
    `/usr/lib/modules/${release}/config`,
    `/usr/lib/kernel/config-${release}`,
    `/usr/src/linux-headers-${release}/.config`,
  ];
  return firstRead(
    (function* () {
      yield readRunningConfig(root, release);
      for (const path of places) yield chain(root.text(path), parseKernelConfig);
    })(),
    `/boot/config-${release}`,
  );
}

/** Malformed when no line of the text sets or unsets a symbol. */
export function parseKernelConfig(text: string, from: string): Reading<KernelConfig> {
  return /^(# )?CONFIG_\w+(=| is not set)/m.test(text)
    ? read(new ConfigText(text), from)
    : malformed(from, "no CONFIG_ line in it");
}

function readRunningConfig(root: Root, release: string): Reading<KernelConfig> {
  const path = "/proc/config.gz";
  const packed = root.bytes(path);
  if (packed.state !== "read") return packed;
  const running = root.text("/proc/sys/kernel/osrelease");
  if (running.state === "read" && running.value.trim() !== release) {
    return { state: "absent", from: path, why: `is of the running ${running.value.trim()}, not of ${release}` };
  }
  try {
    return parseKernelConfig(utf8(unpack(packed.value, path, CONFIG_LIMIT)), path);
  } catch (error) {
    if (error instanceof FileError) return malformed(path, error.message);
    throw error;
  }
}

class ConfigText implements ReadonlyMap<string, string> {
  readonly #text: string;
  readonly #asked = new Map<string, string | undefined>();
  #all: ReadonlyMap<string, string> | undefined;

  constructor(text: string) {
    this.#text = text.startsWith("\n") ? text : `\n${text}`;
  }

  get(symbol: string): string | undefined {
    if (this.#all !== undefined) return this.#all.get(symbol);
    if (!this.#asked.has(symbol)) this.#asked.set(symbol, this.#find(symbol));
    return this.#asked.get(symbol);
  }

  /** One search for both spellings: CONFIG_X=value and # CONFIG_X is not set. Longer symbols that begin alike are passed over. */
  #find(symbol: string): string | undefined {
    const text = this.#text;
    const needle = `CONFIG_${symbol}`;
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
      const after = at + needle.length;
      if (text[after] === "=" && text[at - 1] === "\n") {
        const end = text.indexOf("\n", after);
        return unquote(text.slice(after + 1, end < 0 ? undefined : end).trimEnd());
      }
      if (text.startsWith(" is not set", after) && text.startsWith("\n# ", at - 3)) return "n";
    }
    return undefined;
  }

  get #parsed(): ReadonlyMap<string, string> {
    if (this.#all === undefined) {
      const all = new Map<string, string>();
      for (const [, off, symbol, value] of this.#text.matchAll(
        /\n(?:# CONFIG_(\w+) is not set|CONFIG_(\w+)=([^\n]*))/g,
      )) {
        if (off !== undefined) all.set(off, "n");
        else if (symbol !== undefined) all.set(symbol, unquote((value ?? "").trimEnd()));
      }
      this.#all = all;
    }
    return this.#all;
  }

  has(symbol: string): boolean {
    return this.get(symbol) !== undefined;
  }
  get size(): number {
    return this.#parsed.size;
  }
  forEach(visit: (value: string, key: string, map: ReadonlyMap<string, string>) => void): void {
    this.#parsed.forEach(visit);
  }
  entries() {
    return this.#parsed.entries();
  }
  keys() {
    return this.#parsed.keys();
  }
  values() {
    return this.#parsed.values();
  }
  [Symbol.iterator]() {
    return this.entries();
  }
}

function unquote(value: string): string {
  return /^".*"$/.test(value) ? value.slice(1, -1).replace(/\\(["\\])/g, "$1") : value;
}
