/** What is said of single inputs: a shape where the model leaves one open, a value or a file of its own where there are several. */

import type { TensorReport } from "../../../src/inspect/inspection.ts";
import { harmless } from "../parts/index.ts";
import type { RunRequest } from "./api.ts";
import { FileButton } from "./file-button.tsx";

export interface InputWish {
  /** "1x3x224x224", as typed. */
  readonly shape?: string;
  /** JSON: a number or a list. */
  readonly value?: string;
  readonly file?: File;
}

export interface InputRowsProps {
  readonly ports: readonly TensorReport[];
  readonly wishes: ReadonlyMap<string, InputWish>;
  readonly onWishes: (wishes: ReadonlyMap<string, InputWish>) => void;
}

/** Throws Error with a sentence for what cannot be understood. */
export async function requestInputs(
  wishes: ReadonlyMap<string, InputWish>,
  send: (file: File) => Promise<string>,
): Promise<Pick<RunRequest, "inputs" | "shapes">> {
  const inputs: Record<string, { readonly input: string } | { readonly value: unknown }> = {};
  const shapes: Record<string, readonly number[]> = {};
  for (const [name, { shape = "", value = "", file }] of wishes) {
    if (shape.trim() !== "") {
      const sizes = shape.trim().split(/\s*[x×,]\s*|\s+/);
      if (!sizes.every((size) => /^\d{1,9}$/.test(size)))
        throw new Error(`the shape of ${name} is written 1x3x224x224`);
      shapes[name] = sizes.map(Number);
    }
    if (file !== undefined) inputs[name] = { input: await send(file) };
    else if (value.trim() !== "") inputs[name] = { value: parsed(name, value) };
  }
  return {
    ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
    ...(Object.keys(shapes).length > 0 ? { shapes } : {}),
  };
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`the value of ${name} is a number, or a list as JSON: [1, 2, 3]`);
  }
}

export function InputRows({ ports, wishes, onWishes }: InputRowsProps) {
  const isOpen = ({ shape }: TensorReport): boolean => shape?.some((size) => typeof size !== "number") === true;
  const several = ports.length > 1;
  const rows = ports.filter((port) => several || isOpen(port));
  if (rows.length === 0) return null;
  const change = (name: string, to: Partial<InputWish>): void => {
    onWishes(new Map([...wishes, [name, { ...wishes.get(name), ...to }]]));
  };
  return (
    <ul class="input-rows">
      {rows.slice(0, 64).map((port) => {
        const { name, type, shape } = port;
        const wish = wishes.get(name);
        return (
          <li key={name}>
            <span class="mono">{harmless(name)}</span>{" "}
            <span class="soft small">
              {type} {shape?.map((size) => String(size ?? "?")).join("×")}
            </span>
            <span class="input-row-fields">
              {isOpen(port) && (
                <input
                  type="text"
                  aria-label={`Shape of ${name}`}
                  placeholder="shape: 1x3x224x224"
                  value={wish?.shape ?? ""}
                  onInput={(event) => change(name, { shape: event.currentTarget.value })}
                />
              )}
              {several && (
                <>
                  <input
                    type="text"
                    aria-label={`Value of ${name}`}
                    placeholder="value: made up"
                    value={wish?.value ?? ""}
                    onInput={(event) => change(name, { value: event.currentTarget.value })}
                  />
                  <FileButton
                    class="small"
                    label={`File for ${name}`}
                    onFiles={([file]) => {
                      if (file !== undefined) change(name, { file });
                    }}
                  >
                    {wish?.file === undefined ? "File …" : harmless(wish.file.name)}
                  </FileButton>
                </>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
