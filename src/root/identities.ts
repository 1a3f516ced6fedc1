/**
 * Words in a capture that name an owner and not a machine. Where they stand: Documentation/ABI/testing/sysfs-class-dmi,
 * sysfs-bus-usb (serial), sysfs-class-net (address), passwd(5), hostname(5), machine-id(5), the kernel's command line and log.
 */

import type { CapturePath, CapturePaths } from "./capture.ts";
import { isEntry } from "./capture.ts";

export const KINDS = ["serial", "mac", "host", "user", "ipv4", "ipv6", "uuid", "id", "label"] as const;
export type IdentityKind = (typeof KINDS)[number];

export interface Identity {
  readonly kind: IdentityKind;
  readonly word: string;
  /** What stands there instead. */
  readonly by: string;
  /** False for a word that may mean something else: then it is replaced only in `where` and where only a name can stand. */
  readonly everywhere: boolean;
  /** Files that are the word. */
  readonly where: ReadonlySet<string>;
}

export interface Names {
  readonly users: readonly string[];
  readonly hosts: readonly string[];
}

export function findIdentities(paths: CapturePaths, names: Names): Identity[] {
  const collector = createCollector(vocabularyOf(paths));
  for (const host of names.hosts) addHost(collector, host, "");
  for (const user of names.users) addUser(collector, user, "");
  for (const [path, entry] of paths) {
    searchPath(collector, path);
    if (!isEntry(entry)) continue;
    if (entry.target !== undefined) searchPath(collector, entry.target);
    const text = textOf(entry);
    if (text !== undefined) searchFile(collector, path, text);
  }
  return collector.identities();
}

/** Text of a file; of a binary one, its bytes as they are. */
function textOf(entry: CapturePath): string | undefined {
  if (entry.text !== undefined) return entry.text;
  if (entry.base64 !== undefined) return Buffer.from(entry.base64, "base64").toString("latin1");
  return undefined;
}

/** Attributes that hold nothing but an identity. */
const IDENTITY_FILES: readonly { readonly name: RegExp; readonly kind: IdentityKind }[] = [
  { name: /\/(?:[a-z]+_)?serial(?:_?(?:number|no)|-number)?$/, kind: "serial" },
  { name: /\/(?:product_uuid|uuid|guid|nguid|eui|wwid|unique_id|sys_image_guid|node_guid)$/, kind: "serial" },
  { name: /\/(?:[a-z]+_)?asset_tag$/, kind: "serial" },
  { name: /^\/etc\/machine-id$|^\/var\/lib\/dbus\/machine-id$|\/boot_id$/, kind: "id" },
];
const HOST_FILES: ReadonlySet<string> = new Set(["/etc/hostname", "/proc/sys/kernel/hostname"]);
const MAC_FILE = /\/(?:local-mac-address|mac-address)$/;
const LOG_FILE = /^\/dev\/kmsg$|^\/var\/log\/|\/dmesg$/;
const COMMAND_LINE = /\/(?:cmdline|bootargs)$/;
const UUID_FILE = /^\/etc\/fstab$|\/(?:mounts|mountinfo|information)$/;

function searchFile(collector: Collector, path: string, text: string): void {
  if (HOST_FILES.has(path)) return addHost(collector, text.trim(), path);
  if (path === "/etc/passwd") return searchPasswd(collector, text);
  if (path === "/etc/group") return searchGroup(collector, text);
  if (MAC_FILE.test(path) && text.length === 6) {
    const octets = [...Buffer.from(text, "latin1")].map((octet) => octet.toString(16).padStart(2, "0"));
    addMac(collector, octets.join(":"));
    return collector.add("mac", text, {
      path,
      shape: (n) => Buffer.from([2, 0, 0, 0, n >> 8, n & 255]).toString("latin1"),
    });
  }
  const known = IDENTITY_FILES.find(({ name }) => name.test(path));
  if (known !== undefined) return addSerial(collector, text.replaceAll("\0", "").trim(), path, known.kind);

  if (text.includes(":")) for (const [mac] of text.matchAll(MAC)) addMac(collector, mac);
  if (text.includes("/home/") || text.includes("/media/")) searchPath(collector, text);
  const log = LOG_FILE.test(path);
  if (log) searchLog(collector, text);
  if (log || COMMAND_LINE.test(path)) searchCommandLine(collector, text);
  if (log || COMMAND_LINE.test(path) || UUID_FILE.test(path)) {
    for (const [uuid] of text.matchAll(UUID)) if (/[1-9a-f]/i.test(uuid)) collector.add("uuid", uuid);
  }
}

/** Not within a longer row of pairs, which is a fingerprint or an InfiniBand address. */
const MAC = /(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])/gi;
const UUID = /(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])/gi;

function addMac(collector: Collector, mac: string): void {
  if (!/^(?:00:|ff:)+(?:00|ff)$/i.test(mac)) collector.add("mac", mac);
}

/** What firmware says when nobody filled a field in. */
const PLACEHOLDER =
  /^(?:0*|x+|[.\-_ ]+|none|n\/?a|unknown|invalid|default( string)?|not (?:specified|available|applicable|provided|present)|to be filled.*|system serial number|asset.?tag.*|no asset.*|0?123456789.*)$/i;
/** Host controllers carry their own address as serial number. */
const KERNEL_ADDRESS = /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$|\.(?:auto|usb|ehci|ohci|xhci)$|_hcd/i;

function addSerial(collector: Collector, word: string, path: string, kind: IdentityKind): void {
  if (PLACEHOLDER.test(word) || KERNEL_ADDRESS.test(word) || collector.knows(word)) return;
  collector.add(kind, word, { path, everywhere: isTelling(word) });
}

/** A short number stands in many places for other reasons. */
function isTelling(word: string): boolean {
  if (!/[0-9]/.test(word) || /^0x/i.test(word)) return false;
  return word.length >= 8 || (word.length >= 5 && /[a-z]/i.test(word));
}

/** Names that distributions and boards come with tell nothing, and are words of package names. */
const COMMON =
  /^(?:localhost(?:\..*)?|\(none\)|debian|ubuntu|fedora|archlinux|arch|alpine|linux|raspberrypi|orangepi.*|rock.*|buildroot|yocto|root|user|admin)$/i;

function addHost(collector: Collector, name: string, path: string): void {
  if (name === "" || name.length > 253 || /[\s/]/.test(name) || /^localhost|^\(none\)$/.test(name)) return;
  const [short = name] = name.split(".");
  const certain = (word: string): boolean => word.length >= 4 && !COMMON.test(word) && !collector.isWord(word);
  if (short !== name) collector.add("host", name, { path, everywhere: true });
  if (short.length >= 2) collector.add("host", short, { path, everywhere: certain(short) });
}

function addUser(collector: Collector, name: string, path: string): void {
  if (name === "" || name === "root" || name.length > 64 || /[\s/:]/.test(name)) return;
  const certain = name.length >= 4 && !COMMON.test(name) && !collector.isWord(name);
  collector.add("user", name, { path, everywhere: certain });
}

/** passwd(5): people have ids from 1000 on, below nobody's. */
const PEOPLE = { from: 1000, below: 65534 } as const;

function searchPasswd(collector: Collector, text: string): void {
  for (const line of text.split("\n")) {
    const [name = "", , uid = "", , comment = ""] = line.split(":");
    if (!(Number(uid) >= PEOPLE.from && Number(uid) < PEOPLE.below)) continue;
    addUser(collector, name, "/etc/passwd");
    for (const part of comment.split(",")) {
      if (part.trim().length >= 4)
        collector.add("user", part.trim(), { path: "/etc/passwd", everywhere: /\s/.test(part.trim()) });
    }
  }
}

function searchGroup(collector: Collector, text: string): void {
  for (const line of text.split("\n")) {
    const [name = "", , gid = "", members = ""] = line.split(":");
    if (Number(gid) >= PEOPLE.from && Number(gid) < PEOPLE.below) addUser(collector, name, "/etc/group");
    for (const member of members.split(",")) if (!SERVICES.has(member)) addUser(collector, member, "/etc/group");
  }
}

/** Members of groups that are programs' accounts, of which distributions make some. */
const SERVICES: ReadonlySet<string> = new Set([
  "",
  "root",
  "syslog",
  "messagebus",
  "pulse",
  "gdm",
  "sddm",
  "lightdm",
  "ollama",
]);

function searchPath(collector: Collector, text: string): void {
  for (const [, user = ""] of text.matchAll(
    /(?<![A-Za-z0-9._+-])\/(?:home|run\/media|media)\/([A-Za-z_][A-Za-z0-9_.-]*)/g,
  )) {
    if (!/^(?:cdrom|usb|floppy|linuxbrew|lost\+found)/.test(user)) addUser(collector, user, "");
  }
}

function searchCommandLine(collector: Collector, text: string): void {
  for (const [, kind = "", value = ""] of text.matchAll(/\b(PARTUUID|UUID|PARTLABEL|LABEL)=([^\s,"]+)/g)) {
    if (value.length >= 4) collector.add(kind.endsWith("UUID") ? "uuid" : "label", value);
  }
  for (const [, id = ""] of text.matchAll(/\bmachine[_ -]id[=: ]+([0-9a-f]{32})\b/gi)) collector.add("id", id);
  for (const [, host = ""] of text.matchAll(/\bhostname=([A-Za-z0-9.-]+)/g)) addHost(collector, host, "");
  for (const [, value = ""] of text.matchAll(/\b(?:ip|nfsroot|nfsaddrs)=(\S+)/g)) addAddresses(collector, value);
}

function searchLog(collector: Collector, text: string): void {
  for (const line of text.split("\n")) {
    const serial = /(?:\bserial ?(?:number|no\.?)?|\bs\/n|\bsn)\s*[:=#]\s*([A-Za-z0-9][A-Za-z0-9_.-]{3,63})/i.exec(
      line,
    )?.[1];
    if (serial !== undefined && /[0-9]/.test(serial) && !/^0x/i.test(serial))
      addSerial(collector, serial, "", "serial");
    const host = /Hostname set to <([^>]+)>/.exec(line)?.[1] ?? /_HOSTNAME=(\S+)/.exec(line)?.[1];
    if (host !== undefined) addHost(collector, host, "");
    // "Nov 25 10:00:00 HOST kernel:"
    const logged =
      /^(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+) (\S+) (?:kernel|systemd)\b/.exec(
        line,
      )?.[1];
    if (logged !== undefined) addHost(collector, logged, "");
    if (NETWORK.test(line) && !VERSION.test(line)) addAddresses(collector, line);
  }
}

/** Four numbers with dots are an address only in the company of such words, and a version in the company of others. */
const NETWORK =
  /\b(?:ip|ipv[46]|addr(?:ess)?|inet6?|gateway|dhcp|dns|server|client|nfs|nameserver|host|route|src|dst|bootp|netmask|from|connect\w*|peer)\b|\b(?:SRC|DST)=|\beth[0-9]|\bwl|\ben[opsx][0-9]/i;
const VERSION = /\b(?:version|firmware|fw|driver|ver|rev|api|revision)\b/i;
const IPV4 =
  /(?<![0-9A-Za-z.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![0-9A-Za-z]|\.[0-9])/g;
const IPV6 = /(?<![0-9A-Za-z:.])(?:[0-9a-f]{1,4}:){1,7}(?::[0-9a-f]{1,4}){0,7}:?(?:[0-9a-f]{1,4})?(?![0-9A-Za-z:.])/gi;

function addAddresses(collector: Collector, text: string): void {
  for (const [address] of text.matchAll(IPV4)) {
    if (!/^(?:0|127|255)\./.test(address)) collector.add("ipv4", address);
  }
  for (const [address] of text.matchAll(IPV6)) {
    const whole = address.split(":").length === 8 && !address.includes("::");
    if ((whole || address.includes("::")) && !/^(?:::1?|0+)$/.test(address) && /[0-9a-f]{3}/i.test(address)) {
      collector.add("ipv6", address);
    }
  }
}

interface Collector {
  add(kind: IdentityKind, word: string, options?: AddOptions): void;
  /** Is it a component of a path here, so an address of the kernel's? */
  knows(word: string): boolean;
  /** Is it a word that paths and listings are made of? */
  isWord(word: string): boolean;
  identities(): Identity[];
}

interface AddOptions {
  readonly path?: string;
  readonly everywhere?: boolean;
  readonly shape?: (n: number) => string;
}

/** Replacements by number, in the shape of what they replace: what reads them still can. RFC 5737, RFC 3849, locally administered MACs. */
const SHAPES: Readonly<Record<IdentityKind, (n: number) => string>> = {
  serial: (n) => `serial-${n}`,
  host: (n) => `host-${n}`,
  user: (n) => `user-${n}`,
  label: (n) => `label-${n}`,
  mac: (n) => `02:00:00:00:${hex(n >> 8, 2)}:${hex(n & 255, 2)}`,
  ipv4: (n) => `${["192.0.2", "198.51.100", "203.0.113"][Math.floor(n / 255) % 3] ?? "192.0.2"}.${n % 255}`,
  ipv6: (n) => `2001:db8::${hex(n, 1)}`,
  uuid: (n) => `00000000-0000-4000-8000-${hex(n, 12)}`,
  id: (n) => hex(n, 32),
};

function createCollector(vocabulary: {
  readonly components: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
}): Collector {
  const found = new Map<
    string,
    { kind: IdentityKind; word: string; by: string; everywhere: boolean; where: Set<string> }
  >();
  const counts = new Map<string, number>();
  return {
    add(kind, word, { path = "", everywhere = true, shape = SHAPES[kind] } = {}) {
      if (word === "") return;
      const key = everywhere ? word.toLowerCase() : word;
      const known = found.get(key);
      if (known !== undefined) {
        if (path !== "") known.where.add(path);
        return;
      }
      const n = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, n);
      // The bytes of a MAC address carry the number of its text, which was added just before.
      const by = shape === SHAPES[kind] ? shape(n) : shape(n - 1);
      if (shape !== SHAPES[kind]) counts.set(kind, n - 1);
      found.set(key, {
        kind,
        word,
        by,
        everywhere: everywhere && shape === SHAPES[kind],
        where: new Set(path === "" ? [] : [path]),
      });
    },
    knows: (word) => vocabulary.components.has(word),
    isWord: (word) => vocabulary.words.has(word.toLowerCase()),
    identities: () => [...found.values()],
  };
}

function vocabularyOf(paths: CapturePaths): { components: Set<string>; words: Set<string> } {
  const components = new Set<string>();
  const words = new Set<string>();
  const add = (component: string): void => {
    if (components.has(component)) return;
    components.add(component);
    for (const word of component.toLowerCase().split(/[^a-z0-9]+/)) words.add(word);
    words.add(component.toLowerCase());
  };
  for (const [path, entry] of paths) {
    if (/^\/(?:home|media|run\/media)\//.test(path)) continue;
    path.split("/").forEach(add);
    if (isEntry(entry) && Array.isArray(entry.names) && !/^\/(?:home|media|run\/media)$/.test(path)) {
      (entry.names as readonly string[]).forEach(add);
    }
    if (path === "/proc/modules" && isEntry(entry)) {
      for (const line of entry.text?.split("\n") ?? []) add(line.slice(0, Math.max(0, line.indexOf(" "))));
    }
  }
  return { components, words };
}

function hex(n: number, digits: number): string {
  return n.toString(16).padStart(digits, "0");
}
