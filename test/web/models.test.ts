/** The Models view in Chromium: files are uploaded, looked into and run; what is broken, refused or gone is told. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import {
  eventually,
  fitsBothThemes,
  noOverflow,
  noSeriousViolations,
  shoot,
  unlessBrowser,
  hasBrowser,
  useBrowser,
  useDashboard,
} from "../support/browser.ts";
import { FLOAT, modelOf, node, smallOnnx, valueInfo } from "../support/onnx.ts";
import { hasShared, sharedPath, top, unlessShared } from "../support/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-web-models-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of this name for the browser's chooser. */
function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function choose(page: Page, name: string, ...paths: readonly string[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name }).first().click();
  await (await chooser).setFiles([...paths]);
}

const tabs = async (page: Page, name: string): Promise<void> => page.getByRole("tab", { name, exact: true }).click();

describe.skipIf(!hasBrowser)(`the Models view${unlessBrowser}`, () => {
  const browser = useBrowser();
  const server = useDashboard();

  it("a person without a file runs the example and reads what is on its picture", async () => {
    await browser.visit(`${server.url}/#/models`, async (page) => {
      await page.getByRole("link", { name: "or try the one that comes with accelctl" }).click();
      await page.getByText("TensorFlow Lite / LiteRT").first().waitFor();
      await page.getByText("13.6 M").waitFor();
      await page.getByText("full integer uint8").waitFor();
      await page.getByRole("link", { name: "Run it →" }).click();
      await page.getByText("cat.jpg").waitFor();
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.getByText("the CPU worked").first().waitFor();
      await page
        .getByText(/Egyptian cat|tabby|tiger cat/)
        .first()
        .waitFor();
      await page.getByText("Which device worked, and how that is known").click();
      await page
        .getByText(/processor time/)
        .first()
        .waitFor();
      await page.getByText("The same on the command line").click();
      await page.getByText(/^accelctl run mobilenet.*cat\.jpg --device cpu/).waitFor();
      // The picture is drawn, not only its frame.
      const colours = `new Set(Array.from(document.querySelector(".overlay canvas").getContext("2d").getImageData(0, 0, 300, 200).data)).size`;
      await eventually(() => page.evaluate<number>(colours)).toBeGreaterThan(50);
      await noSeriousViolations(page);
    });
  });

  it("an ONNX file that is chosen is described, drawn and run on made-up values", async () => {
    const path = file("small.onnx", smallOnnx());
    await browser.visit(`${server.url}/#/models`, async (page) => {
      await choose(page, "Choose files …", path);
      await page.getByRole("heading", { level: 1, name: "small.onnx" }).waitFor();
      await page.getByText("ONNX", { exact: true }).waitFor();
      await page.getByRole("cell", { name: "1 × 3" }).waitFor();
      await tabs(page, "Graph");
      await page.locator("canvas[data-boxes='3']").waitFor();
      await tabs(page, "Run");
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page
        .getByText("the CPU worked")
        .or(page.getByText(/cannot tell/))
        .first()
        .waitFor();
      await page.getByRole("region", { name: "Output y" }).waitFor();
      await page.getByRole("link", { name: "← All models" }).click();
      await page.getByRole("button", { name: "Remove small.onnx" }).click();
      await page.getByRole("button", { name: "Remove small.onnx" }).waitFor({ state: "detached" });
    });
  });

  it.skipIf(!hasShared)(
    `a real TFLite model finds its way by being dropped, and so does a picture for it${unlessShared}`,
    async () => {
      const path = sharedPath("models/tflite/mp_face_detection_short_range.tflite");
      const data = readFileSync(path).toString("base64");
      const picture = readFileSync(join(top, "demo/cat.jpg")).toString("base64");
      await browser.visit(`${server.url}/#/models`, async (page) => {
        await page.getByText("Drop a model file anywhere").waitFor();
        await drop(page, "face.tflite", data, "application/octet-stream");
        await page.getByRole("heading", { level: 1, name: "face.tflite" }).waitFor();
        await drop(page, "cat.jpg", picture, "image/jpeg");
        await page.getByText("cat.jpg").first().waitFor();
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.getByText(/Read as MediaPipe detector/).waitFor();
        await noSeriousViolations(page);
      });
    },
  );

  it("a truncated file shows the sentence with the offset, and nothing of the host", async () => {
    const whole = readFileSync(join(top, "demo/mobilenet_v1_0.25_128_quant.tflite"));
    const path = file("cut.tflite", whole.subarray(0, 3000));
    await browser.visit(`${server.url}/#/models`, async (page) => {
      await choose(page, "Choose files …", path);
      await page.getByRole("heading", { level: 1, name: "cut.tflite" }).waitFor();
      const says = await page
        .getByText(/offset 0x[0-9a-f]+/)
        .first()
        .textContent();
      expect(says).not.toContain("/tmp");
      await noSeriousViolations(page);
    });
  });

  it("what is no model is told for what it is", async () => {
    await browser.visit(`${server.url}/#/models`, async (page) => {
      await choose(page, "Choose files …", join(top, "demo/cat.jpg"));
      await page.getByText("This is no model").waitFor();
      await page.getByText(/JPEG/).first().waitFor();
    });
  });

  it("a graph of 20,000 operators is readable, is searched, unfolds and is moved by keys", async () => {
    const ops = ["LayerNormalization", "MatMul", "Add", "Gelu", "MatMul", "Add"];
    const path = file(
      "large.onnx",
      modelOf(
        ...Array.from({ length: 20_000 }, (_, i) => node(ops[i % 6] ?? "Add", [`t${i}`], [`t${i + 1}`])),
        valueInfo(11, "t0", FLOAT, [1, 8]),
        valueInfo(12, "t20000", FLOAT, [1, 8]),
      ),
    );
    await browser.visit(`${server.url}/#/models`, async (page) => {
      await choose(page, "Choose files …", path);
      await page.getByText("20000", { exact: true }).waitFor();
      const start = performance.now();
      await tabs(page, "Graph");
      await page.locator("canvas[data-boxes]").waitFor();
      await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
      process.stdout.write(`first paint of 20,000 operators: ${Math.round(performance.now() - start)} ms\n`);
      const boxes = async (): Promise<number> => Number(await page.locator("canvas").getAttribute("data-boxes"));
      const folded = await boxes();
      expect(folded).toBeGreaterThan(5);
      expect(folded).toBeLessThanOrEqual(152);
      const canvas = page.getByRole("application", { name: "Graph of large.onnx" });
      await canvas.focus();
      const scale = async (): Promise<number> => Number(await canvas.getAttribute("data-scale"));
      const before = await scale();
      await page.keyboard.press("+");
      await eventually(scale).toBeGreaterThan(before);
      await page.keyboard.press("0");
      await eventually(scale).toBeLessThan(before);
      await page.keyboard.press("n");
      await page.keyboard.press("n");
      await page.keyboard.press("Enter");
      await eventually(boxes).toBeGreaterThan(folded);
      await page.getByLabel("Find an operator").fill("gelu");
      await page.getByText(/the first 12 of 3333/).waitFor();
      await page.getByRole("button", { name: /Gelu/ }).nth(5).click();
      await page.getByRole("complementary", { name: "Operator" }).getByRole("heading", { name: "Gelu" }).waitFor();
      await page
        .getByRole("button", { name: /^MatMul #/ })
        .first()
        .click();
      await page.getByRole("complementary", { name: "Operator" }).getByRole("heading", { name: "MatMul" }).waitFor();
      await page.getByText("All operators as a table").click();
      await page.getByText("1 to 100 of 20000", { exact: true }).waitFor();
      await noSeriousViolations(page);
    });
  });

  it("everything can be done by keys alone", async () => {
    await browser.visit(`${server.url}/#/models`, async (page) => {
      await page.getByText("Drop a model file anywhere").waitFor();
      const press = async (key: string, until: string, most = 40): Promise<void> => {
        for (let i = 0; i < most; i++) {
          await page.keyboard.press(key);
          const here = await page.evaluate<string>('document.activeElement?.textContent ?? ""');
          if (here.trim() === until) return;
        }
        throw new Error(`${until} was not reached by ${key}`);
      };
      await press("Tab", "or try the one that comes with accelctl");
      await page.keyboard.press("Enter");
      await page.getByRole("tab", { name: "Overview" }).waitFor();
      await press("Tab", "Overview");
      await page.keyboard.press("ArrowRight");
      await page.locator("canvas[data-boxes]").waitFor();
      await page.keyboard.press("ArrowRight");
      await page.getByText("cat.jpg").waitFor();
      await press("Tab", "Run");
      await page.keyboard.press("Enter");
      await page
        .getByText(/Egyptian cat|tabby|tiger cat/)
        .first()
        .waitFor();
    });
  });

  it("a person sees where the example would run, why not, and the graph in the colours of its partitions", async () => {
    for (const [theme, width] of [
      ["light", 1600],
      ["dark", 400],
    ] as const) {
      await browser.visit(
        `${server.url}/#/models/demo/fit`,
        async (page) => {
          const rows = page.getByRole("button", { name: /Coral USB Accelerator, USB 3/ });
          await rows.first().click();
          await page.getByRole("heading", { level: 2, name: "Coral USB Accelerator, USB 3" }).waitFor();
          const placement = page.getByRole("article", { name: "edgetpu", exact: true });
          await placement.getByText(/31 of 31 operators in 1 partition/).waitFor();
          await placement.getByRole("img", { name: "In the order they run: 31 taken" }).waitFor();
          await noOverflow(page);
          await noSeriousViolations(page);
          await shoot(page, `fit-${theme}`);
          await placement.getByRole("link", { name: "See it in the graph →" }).click();
          await page.getByText("in a partition, each with its colour").waitFor();
          await page.getByLabel("Find an operator").fill("softmax");
          await page
            .getByRole("button", { name: /Softmax #/ })
            .first()
            .click();
          await page.getByText("taken by edgetpu").waitFor();
        },
        { theme, width },
      );
    }
  });

  it("what-if changes what is asked, and a wrong one is told in a sentence", async () => {
    await browser.visit(`${server.url}/#/models/demo/fit`, async (page) => {
      await page.getByRole("heading", { name: "How fast, the quickest first" }).waitFor();
      await page.getByLabel("Types").selectOption("float32");
      await page.getByText(/Assumed: float32; the file is full integer/).waitFor();
      await page.getByLabel("Types").selectOption("");
      await page.getByLabel("Input").fill("160x160");
      await page.getByRole("button", { name: "What if" }).click();
      await page.getByText(/Assumed: input of 160x160/).waitFor();
      await page.getByLabel("only what is in this machine").check();
      await page.getByText("No accelerator of this machine has an estimate.").waitFor();
    });
    const wrong = await fetch(`${server.url}/api/models/demo/fit?batch=0`);
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: '--batch takes a whole number from 1 to 4096; not "0"' },
    ]);
    expect((await fetch(`${server.url}/api/models/demo/fit/nosuch`)).status).toBe(400);
  });

  it("two places are held against each other", async () => {
    await browser.visit(`${server.url}/#/models/demo/run`, async (page) => {
      await page.getByText("cat.jpg").waitFor();
      await page.getByLabel("Compare with").selectOption({ index: 1 });
      await page.getByLabel("Measure what a run is made of").check();
      await page.getByRole("button", { name: "Run on both" }).click();
      await page.getByRole("heading", { name: "Side by side" }).waitFor();
      await page.getByText("identical").waitFor();
      await noSeriousViolations(page);
    });
  });

  it("a wrong value is told beside the button, and the next run works", async () => {
    await browser.visit(
      `${server.url}/#/models/demo/run`,
      async (page) => {
        await page.getByText("cat.jpg").waitFor();
        await page
          .getByLabel("Counted runs")
          .evaluate((field: { removeAttribute(name: string): void }) => field.removeAttribute("max"));
        await page.getByLabel("Counted runs").fill("5000");
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.getByText(/"repeat" is a whole number from 1 to 1000/).waitFor();
        await page.getByLabel("Counted runs").fill("2");
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.getByText(/median of 2 runs/).waitFor();
      },
      { expected: /400/ },
    );
  });

  it("a model that is gone says so", async () => {
    await browser.visit(
      `${server.url}/#/models/nope`,
      async (page) => {
        await page.getByText(/not here any more/).waitFor();
      },
      { expected: /404/ },
    );
  });

  for (const width of [400, 1600]) {
    it(`every tab is accessible and fits in both themes, ${width} pixels wide`, async () => {
      await browser.visit(
        `${server.url}/#/models`,
        async (page) => {
          const check = (name: string): Promise<void> => fitsBothThemes(page, `models-${name}-${width}`);
          await page.getByText("Here now").waitFor();
          await check("list");
          await page.goto(`${server.url}/#/models/demo`);
          await page.getByText("Where it runs here").waitFor();
          await check("overview");
          await tabs(page, "Graph");
          await page.locator("canvas[data-boxes]").waitFor();
          await check("graph");
          await tabs(page, "Run");
          await page.getByText("cat.jpg").waitFor();
          await page.getByRole("button", { name: "Run", exact: true }).click();
          await page.getByText("the CPU worked").first().waitFor();
          await check("run");
        },
        { width },
      );
    });
  }
});

describe.skipIf(!hasBrowser)(`the Models view of a server that runs nothing${unlessBrowser}`, () => {
  const browser = useBrowser();
  const server = useDashboard({ run: false });

  it("says so in the place of the buttons", async () => {
    await browser.visit(`${server.url}/#/models`, async (page) => {
      await page.getByText("No models can be uploaded here.").waitFor();
      await page.goto(`${server.url}/#/models/demo/run`);
      await page.getByText("Nothing is run here.").waitFor();
    });
  });
});

describe.skipIf(!hasBrowser)(`the Models view when the server goes away${unlessBrowser}`, () => {
  const browser = useBrowser();
  const server = useDashboard();

  it("says so", async () => {
    await browser.visit(
      `${server.url}/#/models/demo/run`,
      async (page) => {
        await page.getByText("cat.jpg").waitFor();
        await server.stop();
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.getByText(/the server does not answer/).waitFor();
      },
      { expected: /ERR_|Failed to load/ },
    );
  });
});

/** As if it came from a file manager. */
async function drop(page: Page, name: string, base64: string, type: string): Promise<void> {
  const given = JSON.stringify([name, base64, type]);
  await page.evaluate(`{
    const [name, base64, type] = ${given};
    const plain = atob(base64);
    const bytes = Uint8Array.from({ length: plain.length }, (_, at) => plain.charCodeAt(at));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    for (const event of ["dragenter", "dragover", "drop"]) {
      window.dispatchEvent(new DragEvent(event, { dataTransfer, bubbles: true, cancelable: true }));
    }
  }`);
}
