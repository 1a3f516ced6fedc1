/** A served model on its page: run with made-up values and on a picture by the inference protocol itself; commands that are true. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageParts } from "../../src/serve/page/parts.ts";
import { limitsWith } from "../../src/serve/http/limits.ts";
import { oipPart } from "../../src/serve/oip/rest.ts";
import { startServer, type Running } from "../../src/serve/server.ts";
import { curlCommand, fromPixels, pictureLayout, valuesMade, whyNot } from "../../web/src/models/served-values.ts";
import { hasBrowser, noOverflow, noSeriousViolations, shoot, unlessBrowser, useBrowser } from "../support/browser.ts";
import { FLOAT, modelOf, node, valueInfo } from "../support/onnx.ts";
import { engineOver, identityOnnx } from "../support/served-models.ts";
import { top } from "../support/shared.ts";

const port = (
  shape: readonly (number | string | null)[],
  type: "float32" | "uint8" | "int8" | "float16" = "float32",
) => ({
  ...{ name: "x", type, shape },
});
const served: Parameters<typeof whyNot>[0] = {
  ...{ name: "it's", version: "1", streams: false, inputs: [port(["batch", 2])] },
  status: "ready",
};

describe("requests for a served model", () => {
  it("take what is open as 1, and say which types have no JSON", () => {
    expect(valuesMade(port(["batch", 4])).shape).toEqual([1, 4]);
    expect(valuesMade(port(["batch", 4])).data).toHaveLength(4);
    expect(whyNot(served)).toBeUndefined();
    expect(whyNot({ ...served, inputs: [port([1], "float16")] })).toContain("float16");
    expect(whyNot({ ...served, streams: true })).toContain("chat");
    expect(whyNot({ ...served, inputs: [port([1, 3, 4000, 4000])] })).toContain("more than");
  });

  it("know pictures by their shape, and write pixels in the model's order", () => {
    expect(pictureLayout(port([1, 224, 200, 3], "uint8"))).toEqual({
      height: 224,
      width: 200,
      channels: 3,
      first: false,
    });
    expect(pictureLayout(port([null, 1, 28, 28]))).toEqual({ height: 28, width: 28, channels: 1, first: true });
    expect(pictureLayout(port([8, 3, 224, 224]))).toBeUndefined();
    expect(pictureLayout(port([1, 3, "height", "width"]))).toBeUndefined();
    const pixels = [255, 0, 51, 255, 10, 20, 30, 255];
    const two = { height: 1, width: 2, channels: 3 } as const;
    expect(fromPixels(pixels, { ...two, first: false }, "uint8")).toEqual([255, 0, 51, 10, 20, 30]);
    expect(fromPixels(pixels, { ...two, first: true }, "int8")).toEqual([127, -118, -128, -108, -77, -98]);
    expect(fromPixels(pixels.slice(0, 4), { ...two, width: 1, first: true }, "float32")).toEqual([1, 0, 0.2]);
  });

  it("are given as a command in which a name cannot end the quotes", () => {
    const command = curlCommand(served, "http://127.0.0.1:1");
    // The shell itself says what its words are.
    const words = execFileSync("sh", ["-c", `set -- ${command}; printf '%s\n' "$@"`], { encoding: "utf8" }).split("\n");
    expect(words[1]).toBe("http://127.0.0.1:1/v2/models/it's/versions/1/infer");
    expect(JSON.parse(words[3] ?? "")).toMatchObject({ inputs: [{ name: "x", datatype: "FP32", shape: [1, 2] }] });
  });
});

describe.skipIf(!hasBrowser)(`the page of a served model${unlessBrowser}`, () => {
  const browser = useBrowser();
  let running: Running;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const picture = modelOf(
      node("Identity", ["image"], ["same"]),
      valueInfo(11, "image", FLOAT, ["batch", 3, 16, 16]),
      valueInfo(12, "same", FLOAT, ["batch", 3, 16, 16]),
    );
    const over = await engineOver({ "identity/1/model.onnx": identityOnnx(), "picture/1/model.onnx": picture });
    ({ close } = over);
    const { engine } = over;
    running = await startServer([oipPart(engine, limitsWith({})), ...pageParts({ engine, run: false })]);
  });
  afterAll(async () => {
    await running.close();
    await close();
  });

  it("runs with made-up values and shows what came out", async () => {
    await browser.visit(`${running.url}/#/models`, async (page) => {
      await page.getByRole("link", { name: "identity", exact: true }).click();
      await page.getByRole("heading", { name: "identity", level: 1 }).waitFor();
      await page.getByRole("button", { name: "Run with made-up values" }).click();
      const result = page.getByRole("region", { name: "Result" });
      await result.getByText(/answered in [\d.]+ ms/).waitFor();
      const [, , second] = await result.getByRole("row").allInnerTexts();
      expect(second).toMatch(/1\s+0\.618/);
      expect(await page.getByRole("button", { name: "Run on a picture …" }).count()).toBe(0);
      await page.getByText(/^curl '.*\/v2\/models\/identity\/versions\/1\/infer' -d/).waitFor();
      await noOverflow(page);
      await noSeriousViolations(page);
      await shoot(page, "models-served");
    });
  });

  it("runs on a picture, where an input takes one", async () => {
    await browser.visit(
      `${running.url}/#/models/served/picture/1`,
      async (page) => {
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Run on a picture …" }).click();
        await (await chooser).setFiles(join(top, "demo/cat.jpg"));
        const result = page.getByRole("region", { name: "Result" });
        await result.getByText(/On cat\.jpg, answered/).waitFor();
        await result.getByText("The highest 10 of 768.").waitFor();
        await page.getByText(/^jq -nc .* \| curl /).waitFor();
        await noOverflow(page);
        await noSeriousViolations(page);
      },
      { width: 400, theme: "dark" },
    );
  });

  it("says that there is no such model", async () => {
    await browser.visit(`${running.url}/#/models/served/nobody`, async (page) => {
      await page.getByText("This server serves no such model.").waitFor();
      await noSeriousViolations(page);
    });
  });
});
