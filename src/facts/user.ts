/** Who asks: ids, groups and capabilities of this process, from /proc/self/status, and the machine's group names. proc_pid_status(5), group(5) */

import { absent, chain, malformed, read, uncaptured, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** True with CAP_DAC_OVERRIDE: permissions of files do not matter. */
  readonly overrides: boolean;
}

/** Bit of CAP_DAC_OVERRIDE in CapEff, include/uapi/linux/capability.h. */
const CAP_DAC_OVERRIDE = 1n << 1n;

/** The user this process runs as, file-system ids, as the kernel checks them. Uncaptured where nobody recorded who asked. */
export function readUser(root: Root): Reading<User> {
  const status = root.text("/proc/self/status");
  return chain(status, (text, from) => {
    const fields = new Map(
      text.split("\n", 200).map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()] as const;
      }),
    );
    // real, effective, saved, file system: the last decides about opening files.
    const uid = numbers(fields.get("Uid"))[3];
    const gid = numbers(fields.get("Gid"))[3];
    if (uid === undefined || gid === undefined) return malformed(from, "no Uid and Gid");
    const capabilities = fields.get("CapEff") ?? "";
    const holds = /^[0-9a-f]{1,16}$/i.test(capabilities) && (BigInt(`0x${capabilities}`) & CAP_DAC_OVERRIDE) !== 0n;
    return read({ uid, gid, groups: numbers(fields.get("Groups")), overrides: holds && ownsAllUsers(root) }, from);
  });
}

// In a user namespace the capability only reaches files of mapped users, and the machine's device nodes are not among them.
function ownsAllUsers(root: Root): boolean {
  const users = root.text("/proc/self/uid_map");
  return users.state !== "read" || /^\s*0\s+0\s+4294967295\s*$/.test(users.value);
}

function numbers(text: string | undefined): number[] {
  return (text ?? "")
    .split(/\s+/)
    .filter((word) => /^[0-9]{1,10}$/.test(word))
    .map(Number);
}

/** Group names by id, from /etc/group (and /usr/lib/group, where ostree systems keep the distribution's own). */
export function readGroups(root: Root): Reading<ReadonlyMap<number, string>> {
  return readNames(root, ["/etc/group", "/usr/lib/group"]);
}

/** User names by id, from /etc/passwd (and /usr/lib/passwd). */
export function readUserNames(root: Root): Reading<ReadonlyMap<number, string>> {
  return readNames(root, ["/etc/passwd", "/usr/lib/passwd"]);
}

/** Accounts one file may list; directories of larger sites are behind NSS, not in files. */
const NAME_LIMIT = 100_000;

// Both files: name:password:id:...; the first line of an id names it.
function readNames(root: Root, paths: readonly string[]): Reading<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  let first: Reading<string> | undefined;
  for (const path of paths) {
    const file = root.text(path);
    if (first?.state !== "read") first = first === undefined || file.state === "read" ? file : first;
    if (file.state !== "read") continue;
    for (const line of file.value.split("\n", NAME_LIMIT)) {
      const [name, , id] = line.split(":", 3);
      if (name && id !== undefined && /^[0-9]{1,10}$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
    }
  }
  if (first === undefined) return absent("/etc");
  if (first.state === "read") return read(names, first.from);
  return first.state === "absent" && root.kind !== "live" ? uncaptured(first.from) : first;
}
