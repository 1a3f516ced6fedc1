/**
 * What every device directory of sysfs has: `uevent` (its identity in one read), a `driver` link while bound, attributes of one
 * value each. Documentation/ABI/stable/sysfs-devices, Documentation/admin-guide/sysfs-rules.rst
 */

import { absent, chain, malformed, map, read, uncaptured, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

/** KEY=value lines of a uevent file. */
export type Uevent = ReadonlyMap<string, string>;

/** Devices one bus may list: a server full of SR-IOV functions has some 4,000. More is a broken or hostile tree. */
export const DEVICE_LIMIT = 16_384;

/** Names in a bus or class directory, refused when there are more than a machine can have. */
export function listDevices(root: Root, path: string): Reading<readonly string[]> {
  return chain(root.list(path), (names, from) =>
    names.length > DEVICE_LIMIT ? malformed(from, `${names.length} entries, over ${DEVICE_LIMIT}`) : read(names, from),
  );
}

export function readUevent(root: Root, device: string): Reading<Uevent> {
  return map(root.text(`${device}/uevent`), parseUevent);
}

export function parseUevent(text: string): Uevent {
  const values = new Map<string, string>();
  for (const line of text.split("\n", 1000)) {
    const equals = line.indexOf("=");
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  return values;
}

/** One value of a uevent that was read; absent when the kernel did not write that key. */
export function ueventValue(uevent: Reading<Uevent>, key: string): Reading<string> {
  return chain(uevent, (values, from) => {
    const value = values.get(key);
    return value === undefined ? absent(from, `no ${key}`) : read(value, from);
  });
}

/** An attribute, trimmed. An empty file says nothing and is malformed. */
export function readAttribute(root: Root, path: string): Reading<string> {
  return chain(root.text(path), (text, from) => {
    // Strings of USB devices and device trees may hold NUL bytes at their end.
    const value = withoutEnd(text).trimStart();
    return value === "" ? malformed(from, "empty") : read(value, from);
  });
}

// By hand: an expression for "blanks at the end" tries again at each blank of a file that is full of them.
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\0" || text[end - 1]?.trim() === "")) end--;
  return text.slice(0, end);
}

/** Last part of where a link points: `driver`, `iommu_group`, `physfn`. */
export function readLinkName(root: Root, path: string): Reading<string> {
  return chain(root.link(path), (target, from) => {
    const name = target.slice(target.lastIndexOf("/") + 1);
    return name === "" || name === ".." ? malformed(from, `points to ${target.slice(0, 80)}`) : read(name, from);
  });
}

/**
 * The bound driver. `uevent` says it for certain; the link is asked where no uevent was captured. A tree that holds neither (some
 * projects save only ids) does not say that the device is unbound.
 */
export function readDriver(root: Root, device: string, uevent: Reading<Uevent>): Reading<string> {
  if (uevent.state === "read") {
    const name = uevent.value.get("DRIVER");
    return name === undefined ? absent(`${device}/driver`, "not bound") : read(name, uevent.from);
  }
  const name = readLinkName(root, `${device}/driver`);
  if (name.state !== "absent") return name;
  return uevent.state === "denied" ? name : uncaptured(name.from, "neither uevent nor driver link was captured");
}
