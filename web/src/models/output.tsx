/** One output: highest scores with names, a course, a picture, or the plain numbers. */

import { useEffect, useRef } from "preact/hooks";
import type { OutputReport } from "../../../src/session/result.ts";
import { harmless } from "../parts/index.ts";
import type { Preview } from "./api.ts";
import { Wave } from "./wave.tsx";

export interface OutputProps {
  readonly output: OutputReport;
  readonly preview: Preview | undefined;
  /** What it says was read already, as boxes or classes of pixels. */
  readonly brief: boolean;
}

export function Output({ output, preview, brief }: OutputProps) {
  const { name, type, shape, top, scores, min, max, mean, nan, values } = output;
  const texts = type === "string" ? values : undefined;
  return (
    <section class="output" aria-label={`Output ${name}`}>
      <h4>
        <span class="mono">{harmless(name)}</span>{" "}
        <span class="soft">
          {type} {shape.length === 0 ? "scalar" : shape.join(" × ")}
        </span>
      </h4>
      {top !== undefined && top.length > 0 && (
        <ol class="top">
          {top.map(({ index, label, value, share }) => {
            const part = scores === "logits" ? (share ?? 0) : value;
            return (
              <li key={index}>
                <span class="top-label">{harmless(label ?? `#${index}`)}</span>
                <meter min={0} max={1} value={Math.max(0, Math.min(1, part))} aria-label={label ?? `#${index}`} />
                <span class="top-value">{(100 * part).toFixed(1)} %</span>
              </li>
            );
          })}
        </ol>
      )}
      {output.labels !== undefined && <p class="soft small">{harmless(output.labels)}</p>}
      {texts !== undefined && (
        <pre class="texts">
          {texts
            .slice(0, 50)
            .map((one) => harmless(String(one)))
            .join("\n")}
        </pre>
      )}
      {preview?.image !== undefined && !brief && <Image image={preview.image} name={name} />}
      {preview?.wave !== undefined && top === undefined && (
        <Wave wave={preview.wave} elements={preview.elements} name={name} />
      )}
      {texts === undefined && (
        <details open={top === undefined && preview?.wave === undefined && preview?.image === undefined && !brief}>
          <summary class="small">
            {min === undefined ? "numbers" : `${short(min)} to ${short(max)}, mean ${short(mean)}`}
            {output.quantization !== undefined && " as stored"}
            {nan !== undefined && <b class="bad-words"> {nan} no number</b>}
          </summary>
          <p class="mono small first-values">
            {preview?.first.map(short).join("  ")}
            {preview !== undefined && preview.elements > preview.first.length && " …"}
          </p>
        </details>
      )}
    </section>
  );
}

/** JSON has no NaN: it comes as null. */
const short = (value: number | null | undefined): string =>
  typeof value === "number" ? String(Number(value.toPrecision(5))) : "NaN";

function Image({ image, name }: { readonly image: NonNullable<Preview["image"]>; readonly name: string }) {
  const at = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const pen = at.current?.getContext("2d");
    if (pen === null || pen === undefined) return;
    const bytes = fromBase64(image.data);
    const pixels = pen.createImageData(image.width, image.height);
    for (let pixel = 0; pixel < image.width * image.height; pixel++) {
      for (let channel = 0; channel < 3; channel++) {
        const of = image.channels === 3 ? pixel * 3 + channel : pixel;
        pixels.data[4 * pixel + channel] = bytes[of] ?? 0;
      }
      pixels.data[4 * pixel + 3] = 255;
    }
    pen.putImageData(pixels, 0, 0);
  }, [image]);
  return (
    <figure class="image">
      <canvas
        ref={at}
        width={image.width}
        height={image.height}
        role="img"
        aria-label={`${name} drawn as a picture of ${image.width} by ${image.height}`}
      />
      <figcaption class="soft small">
        as a picture: black is {short(image.from)}, white is {short(image.to)}
      </figcaption>
    </figure>
  );
}

export function fromBase64(text: string): Uint8Array {
  const plain = atob(text);
  const bytes = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at++) bytes[at] = plain.charCodeAt(at);
  return bytes;
}
