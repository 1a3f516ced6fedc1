import { describe, expect, it } from "vitest";
import { evaluateLatency } from "../../src/fit/evaluate-latency.ts";
import { findKnown } from "../../src/fit/find-known.ts";
import { fit } from "../../src/fit/api.ts";
import { all } from "../../src/fit/time/devices/index.ts";
import type { Device, Estimate } from "../../src/fit/time/estimate.ts";
import { carriedBy, overLink } from "../../src/fit/time/link.ts";
import { viewOf } from "../../src/fit/view.ts";

const device = (id: string): Device => {
  const found = all.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no device ${id}`);
  return found;
};

function viewsOf(name: string): ReturnType<typeof viewOf>["views"] {
  const found = findKnown(name);
  if (found === undefined) throw new Error(`${name} is not known`);
  return viewOf(found.known.build({})).views;
}

function told(name: string, id: string, link?: "usb2" | "usb3" | "pcie"): Estimate {
  const [row] = fit(name, { for: id, ...(link === undefined ? {} : { link }) }).rows;
  if (row === undefined) throw new Error(`nothing of ${id}`);
  return row.estimate;
}

describe("what crosses a link", () => {
  it("is the picture and the answer, in bytes of int8", () => {
    const { tensors, weights } = carriedBy(viewsOf("mobilenet_v2"), device("coral-usb3"));
    expect(tensors).toBe(224 * 224 * 3 + 1000);
    expect(weights).toBe(0);
  });

  it("is also what the chip does not hold of the weights", () => {
    const { weights } = carriedBy(viewsOf("vgg16"), device("coral-usb3"));
    // 138 million parameters, of which 8 MiB stay.
    expect(weights / 1e6).toBeGreaterThan(128);
    expect(weights / 1e6).toBeLessThan(131);
  });
});

describe("--link", () => {
  it("moves median and bounds of a device whose link is another, and says from where", () => {
    const [own, moved] = [told("mobilenet_v2", "coral-usb3"), told("mobilenet_v2", "coral-usb3", "usb2")];
    const [before = NaN, after = NaN] = [own.median_ms, moved.median_ms];
    // 0.15 MB at 40 MB/s is the least that it can take longer.
    expect(after - before).toBeGreaterThan(3);
    expect(moved.low_ms).toBeLessThan(after);
    expect(moved.high_ms).toBeGreaterThan(after);
    expect((moved.high_ms ?? 0) / (moved.low_ms ?? 1)).toBeGreaterThan((own.high_ms ?? 0) / (own.low_ms ?? 1));
    expect(moved.says.join()).toContain("measured over usb3, told over usb2");
    expect(moved.bound).toBe("link");
  });

  it("leaves a device alone that is on that link, and one that has none", () => {
    for (const [id, link] of [
      ["coral-usb3", "usb3"],
      ["coral-dev-board", "pcie"],
      ["rk3588-1core", "usb2"],
    ] as const)
      expect(told("mobilenet_v2", id, link).median_ms).toBe(told("mobilenet_v2", id).median_ms);
  });

  it("streams weights in each run", () => {
    const [own = 0, moved = 0] = [told("vgg16", "coral-usb3"), told("vgg16", "coral-usb3", "usb2")].map(
      ({ median_ms }) => median_ms,
    );
    expect(moved).toBeGreaterThan(10 * own);
  });

  it("moved there and back is where it was measured", () => {
    const [there, back] = [told("mobilenet_v2", "coral-usb2"), told("mobilenet_v2", "coral-usb2", "usb3")];
    expect(there.median_ms).toBe(told("mobilenet_v2", "coral-usb3", "usb2").median_ms);
    expect(back.median_ms).toBe(told("mobilenet_v2", "coral-usb3").median_ms);
  });

  it("between links about as fast changes little, and never below nothing", () => {
    const pcie = {
      ...device("coral-dev-board"),
      link: device("coral-usb3").link,
      measuredLink: device("coral-dev-board").link,
    };
    const times = { median_ms: 2, low_ms: 1, high_ms: 4 };
    const { times: moved } = overLink(times, pcie as Device, { tensors: 1e6, weights: 1e8 });
    expect(moved.median_ms / times.median_ms).toBeGreaterThan(0.7);
    expect(moved.median_ms / times.median_ms).toBeLessThan(1.5);
    expect(moved.low_ms).toBeGreaterThan(0);
  });

  it("tells rows of a benchmark over USB 2 too, from what they say of their model", () => {
    const row = { model: "MobileNet v2 SSD (COCO, 300x300)", input: "300x300x3", kind: "independent measurement" };
    const [usb2, usb3] = evaluateLatency([
      { ...row, device: "Coral USB Accelerator (USB2)", latency_ms: 58.1 },
      { ...row, device: "Coral USB Accelerator (USB3)", latency_ms: 18.2 },
    ]).rows;
    // 0.27 MB at 40 MB/s at least.
    expect((usb2?.median_ms ?? 0) - (usb3?.median_ms ?? 0)).toBeGreaterThan(6);
  });
});
