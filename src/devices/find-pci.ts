/** Accelerators on PCI. Class 0x12 is no proof, and its lack no disproof: ids and drivers decide. */

import { valueOf } from "../base/reading.ts";
import type { Facts } from "../facts/facts.ts";
import { NO_CLASS, NO_ID, type PciFunction } from "../facts/pci.ts";
import type { Family, PciMatch } from "../families/family.ts";
import { familyOfDriver, matchDecoyPci, matchPci, matchPciFamily, type Matched } from "../families/match.ts";
import type { Device } from "./device.ts";
import { becauseOfMatch, chipOfDriver, hex, kinName, nameOf } from "./name.ts";

// Drivers of class 0x12 and 0x0b40 hardware that computes no neural networks; a pasted lspci may show the driver and no ids.
const otherDrivers = new Set(["hisi_zip", "hisi_sec2", "hisi_hpre", "hisi_dae", "idxd", "dmar", "ioatdma", "ccp"]);

export function findPciDevices(facts: Facts, decoys: { address: string; says: string }[]): Device[] {
  const functions = valueOf(facts.pci) ?? [];
  const main: { f: PciFunction; matched?: Matched; family?: Family }[] = [];
  const helpers: { f: PciFunction; matched: Matched }[] = [];
  const virtual: PciFunction[] = [];
  for (const f of functions) {
    // The revision is a file of its own and decides for few ids: read when an id asks for it.
    const ids = {
      vendor: f.vendor,
      device: f.device,
      class: f.class,
      get revision() {
        return valueOf(f.revision);
      },
    };
    const matched = f.class === NO_CLASS ? exactly(matchPci(ids)) : matchPci(ids);
    if (matched?.match.helper) helpers.push({ f, matched });
    else if (matched) {
      const parent = valueOf(f.physicalFunction);
      if (parent !== undefined && functions.some((other) => other.slot === parent)) virtual.push(f);
      else main.push({ f, matched });
    } else {
      const family = matchPciFamily(ids) ?? familyByDriver(facts, f);
      if (family) main.push({ f, family });
      else if (isUnrecognised(facts, f)) {
        const decoy = matchDecoyPci(ids);
        if (decoy) decoys.push({ address: f.slot, says: decoy.says });
        else main.push({ f });
      }
    }
  }
  const card = (slot: string): string => slot.slice(0, slot.lastIndexOf("."));
  for (const helper of helpers) {
    // A management function alone is still the card: its other function may be missing for a reason worth telling.
    if (!main.some(({ f }) => card(f.slot) === card(helper.f.slot))) main.push(helper);
  }
  return main
    .sort((a, b) => (a.f.slot < b.f.slot ? -1 : 1))
    .map(({ f, matched, family }) => {
      const parts = helpers.filter((h) => h.f !== f && card(h.f.slot) === card(f.slot)).map((h) => h.f.slot);
      const vfs = virtual.filter((v) => valueOf(v.physicalFunction) === f.slot).length;
      return pciDevice(facts, f, matched, family ?? matched?.family, parts, vfs);
    });
}

/**
 * A driver that drives one family only says what it is bound to, whatever the id: a chip newer than the catalogue, or a log that
 * names no ids. `claimed_by` is what pasted logs leave of a driver that spoke of the function (root/paste-machine.ts).
 */
function familyByDriver(facts: Facts, f: PciFunction): Family | undefined {
  // NVIDIA's driver also takes NVSwitch, a bridge.
  if (f.class >> 16 === 0x06) return undefined;
  const bound = valueOf(f.driver);
  const family = bound === undefined ? undefined : familyOfDriver(bound);
  if (family || facts.root.kind !== "paste") return family;
  const claimed = valueOf(facts.root.text(`${f.path}/claimed_by`))?.trim();
  return claimed === undefined ? undefined : familyOfDriver(claimed);
}

/** A vendor's class of devices is no match where the class is not known. */
const exactly = (matched: Matched<PciMatch> | undefined): Matched<PciMatch> | undefined =>
  matched?.match.device === undefined ? undefined : matched;

/** No family claims it: does it say of itself that it is an accelerator? */
function isUnrecognised(facts: Facts, f: PciFunction): boolean {
  const driver = valueOf(f.driver);
  if (driver !== undefined && (otherDrivers.has(driver) || driver.startsWith("qat_"))) return false;
  const base = f.class >> 16;
  if (base === 0x12) return true;
  if (f.class >> 8 === 0x0b40) return driver === undefined;
  return (valueOf(facts.nodes) ?? []).some(
    (node) => node.class === "accel" && valueOf(node.device)?.endsWith(`/${f.slot}`) === true,
  );
}

function pciDevice(
  facts: Facts,
  f: PciFunction,
  matched: Matched | undefined,
  family: Family | undefined,
  parts: readonly string[],
  virtualFunctions: number,
): Device {
  const revision = valueOf(f.revision);
  const subsystemVendor = valueOf(f.subsystemVendor);
  const subsystemDevice = valueOf(f.subsystemDevice);
  const id = `${hex(f.vendor, 4)}:${hex(f.device, 4)}`;
  const known = f.ids.state === "read" && f.device !== NO_ID;
  const label = facts.root.kind === "paste" ? valueOf(facts.root.text(`${f.path}/label`))?.trim() : undefined;
  const bound = valueOf(f.driver);
  const chip = matched?.chip ?? (family && bound !== undefined ? chipOfDriver(family, bound) : undefined);
  const word = known ? id : (label ?? (bound === undefined ? "id not shown" : `driver ${bound}`));
  return {
    id: `pci:${f.slot}`,
    ...(family ? { family } : {}),
    ...(chip ? { chip } : {}),
    name: matched
      ? nameOf(matched)
      : family && chip
        ? nameOf({ family, chip })
        : family
          ? kinName(family, word)
          : `unrecognised ${word}`,
    bus: "pci",
    address: f.slot,
    ids: {
      ...(known ? { pci: id } : {}),
      ...(f.class === NO_CLASS ? {} : { class: hex(f.class, 6) }),
      ...(revision === undefined ? {} : { revision: hex(revision, 2) }),
      ...(subsystemVendor === undefined || subsystemDevice === undefined
        ? {}
        : { subsystem: `${hex(subsystemVendor, 4)}:${hex(subsystemDevice, 4)}` }),
    },
    modalias: f.modalias,
    driver: f.driver,
    nodes: [],
    parts: parts.length > 0 ? [f.slot, ...parts].sort() : [],
    virtualFunctions,
    enabled: true,
    because: matched
      ? becauseOfMatch(matched, id)
      : family &&
          bound !== undefined &&
          matchPciFamily({ vendor: f.vendor, device: f.device, class: f.class }) === undefined
        ? { seen: f.driver.from, says: `driver ${bound}` }
        : f.class === NO_CLASS
          ? { seen: f.path, says: label ?? id }
          : { seen: `${f.path}/class`, says: `0x${hex(f.class, 6)}` },
    paths: () => [f.slot, ...parts].map((slot) => valueOf(facts.root.real(`/sys/bus/pci/devices/${slot}`)) ?? f.path),
    pci: f,
  };
}
