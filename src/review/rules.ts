/** Every rule a finding may carry that is written in the review itself; those of breakages come from their table. Makes docs/rules.md. */

import type { Severity } from "../base/finding.ts";

export interface RuleText {
  readonly rule: string;
  readonly severity: Severity;
  readonly says: string;
}

export const layerRules: readonly RuleText[] = [
  {
    rule: "silicon/off-in-device-tree",
    severity: "warning",
    says: "the device tree describes the accelerator and switches it off",
  },
  {
    rule: "silicon/unassigned-memory",
    severity: "error",
    says: "a PCI memory region has no address; no driver can use the device",
  },
  { rule: "silicon/narrow-link", severity: "note", says: "the PCI link has fewer lanes than the card can use" },
  {
    rule: "silicon/unrecognised",
    severity: "note",
    says: "a device calls itself an accelerator and no family knows its id",
  },
  { rule: "driver/held", severity: "warning", says: "the device is bound to vfio-pci, pci-stub or the like" },
  { rule: "driver/other", severity: "note", says: "another driver is bound than this route needs" },
  {
    rule: "driver/blacklisted",
    severity: "error",
    says: "modprobe configuration or the command line keeps the module from loading",
  },
  { rule: "driver/not-loaded", severity: "error", says: "the module is installed and not loaded" },
  {
    rule: "driver/file-missing",
    severity: "error",
    says: "the kernel was built with the module and the module's file is not installed",
  },
  {
    rule: "driver/not-given-to-vfio",
    severity: "error",
    says: "a device that is used through vfio-pci has not been given to it",
  },
  {
    rule: "driver/other-binding",
    severity: "error",
    says: "the device tree describes the device in words of another driver",
  },
  { rule: "driver/dkms-not-built", severity: "error", says: "the module is under DKMS and not built for this kernel" },
  {
    rule: "driver/none-public",
    severity: "warning",
    says: "no driver for it is public",
  },
  {
    rule: "driver/probe-failed",
    severity: "error",
    says: "the driver is loaded or built in and is not bound to the device",
  },
  { rule: "driver/configured-off", severity: "error", says: "the kernel knows the driver and was built without it" },
  { rule: "driver/kernel-too-old", severity: "error", says: "the driver is in mainline since a later release" },
  {
    rule: "driver/not-in-kernel",
    severity: "error",
    says: "the driver is not part of this kernel: out of tree, vendor's or left out",
  },
  {
    rule: "driver/unbound",
    severity: "warning",
    says: "no driver is bound, and the kernel's modules could not be looked at",
  },
  { rule: "firmware/missing", severity: "error", says: "a firmware file the driver asks for is not installed" },
  { rule: "node/permission", severity: "error", says: "this user may not open the device node" },
  {
    rule: "node/not-in-dev",
    severity: "error",
    says: "the kernel has the device and /dev has no node (a container, no udev)",
  },
  { rule: "node/missing", severity: "error", says: "a driver is bound and made no node" },
  {
    rule: "runtime/missing",
    severity: "warning",
    says: "the library or program that drives the device is not installed",
  },
  { rule: "delegate/missing", severity: "warning", says: "the delegate library is not installed" },
];
