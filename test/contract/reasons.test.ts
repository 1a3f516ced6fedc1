/**
 * Why each emulated device of the captured kernels does not work is written in its truth file. The review's first finding of that
 * device must be that reason: by rule, and by what it says or rests on. A reason of a kind that is not in the table fails, too.
 */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/base/finding.ts";
import { openRoot } from "../../src/root/open.ts";
import type { Report } from "../../src/review/report.ts";
import { review } from "../../src/review/review.ts";
import { layerRules } from "../../src/review/rules.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

interface TruthDevice {
  readonly address?: string;
  readonly name: string;
  readonly bus: string;
  readonly ai_accelerator: boolean | null;
  readonly on_bus?: boolean;
  readonly bound_driver: string | null;
  readonly role?: string;
  readonly why?: string | null;
}

interface Kind {
  /** How a truth file words it. */
  readonly why: RegExp;
  readonly rule: RegExp;
  /** Words the finding says, or rests on. */
  readonly words?: RegExp;
}

/** A driver that this kernel has not: left out, switched off, older than it, or its file not installed. */
const noDriver =
  /^driver\/(not-in-kernel|configured-off|kernel-too-old|file-missing|not-loaded|none-public|not-given-to-vfio)$/;

// The first that fits is taken: a sentence may name two causes, and the one that stopped the driver comes first here.
const kinds: readonly Kind[] = [
  { why: /work ?point|-110/i, rule: /^silicon\//, words: /-110/ },
  { why: /without IOMMU/i, rule: /^driver\/amd-no-iommu$/, words: /IOMMU/ },
  { why: /BAR (0 size|combination)|NotValid BAR/i, rule: /^silicon\/.*bars$/, words: /BAR/ },
  { why: /firmware.*missing|no firmware file/i, rule: /^firmware\//, words: /\.s?bin|firmware: -2/ },
  { why: /device may be disconnected/i, rule: /^silicon\//, words: /disconnected|BARs/ },
  { why: /probe failed -5|telemetry/i, rule: /^firmware\/tt-/, words: /failed|telemetry/ },
  { why: /no alias for|other branch/i, rule: /^driver\/.*other-branch$/, words: /hailo1x_pci is loaded/ },
  { why: /does not set (DRM_ACCEL_\w+)/, rule: /^driver\/configured-off$/, words: /CONFIG_DRM_ACCEL_\w+ is not set/ },
  {
    why: /no accel subsystem/,
    rule: /^driver\/(kernel-too-old|configured-off)$/,
    words: /no accel subsystem|is not set/,
  },
  { why: /blacklist/i, rule: /^driver\/blacklisted$/, words: /modprobe\.d/ },
  { why: /vfio-pci|pci-stub/, rule: /^driver\/held$/, words: /vfio-pci|pci-stub/ },
  { why: /no driver bound/, rule: /^driver\// },
  { why: /no in-tree driver/, rule: noDriver },
  { why: /no module of this kernel/, rule: noDriver },
  { why: /not loaded in this scenario/, rule: noDriver },
];

const works = /^BOUND(?!.*\b(but|fail|not operational))/;

const directory = sharedPath("machines/kernel");
const scenarios = hasShared
  ? readdirSync(directory)
      .filter((file) => file.endsWith(".truth.json"))
      .map((file) => file.slice(0, -".truth.json".length))
  : [];

describe.skipIf(!hasShared)(`reasons${unlessShared}`, () => {
  it.each(scenarios)("%s: the first finding of each device that does not work is the right reason", (scenario) => {
    const truth = JSON.parse(readFileSync(`${directory}/${scenario}.truth.json`, "utf8")) as {
      readonly devices: readonly TruthDevice[];
    };
    const report = review(openRoot(`${directory}/${scenario}.tar.gz`));
    for (const device of truth.devices) {
      if (device.role?.startsWith("facade") === true || device.bus === "usb") continue;
      holds(report, device);
    }
  });

  it.each(scenarios)("%s: no verdict is better than the findings beneath it", (scenario) => {
    const report = review(openRoot(`${directory}/${scenario}.tar.gz`));
    for (const finding of report.findings) {
      const device = report.devices.find((one) => one.id === finding.device);
      if (device === undefined || finding.severity !== "error") continue;
      if (!/^(silicon|driver|firmware|node)\//.test(finding.rule)) continue;
      expect(device.verdict.works, `${device.id} ${finding.rule}`).toBe("no");
    }
  });

  it.each(scenarios)("%s: nothing is said twice", (scenario) => {
    const report = review(openRoot(`${directory}/${scenario}.tar.gz`));
    const told = report.findings.map((finding) => [finding.rule, finding.device, finding.says].join("\n"));
    expect(new Set(told).size).toBe(told.length);
    // One layer's own rule speaks once of a device, and not of what a line of the log has told of the same layer.
    const own = new Set(layerRules.map((rule) => rule.rule));
    for (const finding of report.findings.filter((one) => one.rule === "firmware/missing")) {
      const others = report.findings.filter((one) => one.device === finding.device && one !== finding);
      expect(others.filter((one) => /fw-missing|fw-2$/.test(one.rule))).toEqual([]);
      expect(others.filter((one) => own.has(one.rule) && one.rule === finding.rule)).toEqual([]);
    }
  });
});

function holds(report: Report, truth: TruthDevice): void {
  const address = truth.address ?? truth.name;
  const device = report.devices.find((one) => one.address === address || one.parts.includes(address));
  if (truth.ai_accelerator === false || truth.on_bus === false || /^REMOVED/.test(truth.why ?? "")) {
    expect(device, address).toBeUndefined();
    return;
  }
  if (device === undefined) throw new Error(`${address} is not in the report`);
  const findings = report.findings.filter((finding) => finding.device === device.id);
  const [first] = findings;
  if (truth.ai_accelerator === null) {
    expect(first?.rule, address).toBe("silicon/unrecognised");
    return;
  }
  const why = truth.why ?? (truth.bound_driver === null ? "no driver bound" : "BOUND");
  if (works.test(why)) {
    expect(findings.filter((finding) => finding.severity === "error").map((finding) => finding.rule)).toEqual([]);
    return;
  }
  const kind = kinds.find((one) => one.why.test(why));
  if (kind === undefined) throw new Error(`${address}: no kind of reason for "${why}"`);
  if (first === undefined) throw new Error(`${address}: no finding; it should say "${why}"`);
  expect(first.rule, `${address}: ${why}`).toMatch(kind.rule);
  if (kind.words) expect(wordsOf(first), `${address}: ${why}`).toMatch(kind.words);
  expect(first.severity, address).not.toBe("note");
}

const wordsOf = (finding: Finding): string =>
  [finding.says, ...finding.evidence.map((one) => ("seen" in one ? `${one.seen}: ${one.says}` : one.known))].join("\n");
