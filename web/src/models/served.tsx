/** A model that this server serves: its ports, a run of it by the inference protocol, and the same as a command. */

import { useMemo, useState } from "preact/hooks";
import type { ModelState } from "../../../src/serve/engine.ts";
import { sentence } from "../api.ts";
import {
  announce,
  Badge,
  Command,
  Commands,
  DataTable,
  Empty,
  ErrorBox,
  Facts,
  harmless,
  Spinner,
  useDrop,
} from "../parts/index.ts";
import { askList } from "./api.ts";
import { FileButton } from "./file-button.tsx";
import { useLoaded } from "./load.ts";
import { infer, valuesOfPicture } from "./served-request.ts";
import {
  chatCommand,
  curlCommand,
  describeCommand,
  isPicture,
  pictureLayout,
  typeNamed,
  valuesMade,
  whyNot,
  type InferOutput,
  type Tensor,
} from "./served-values.ts";

export const addressOfServed = ({ name, version }: Pick<ModelState, "name" | "version">): string =>
  `#/models/served/${encodeURIComponent(name)}${version === "" ? "" : `/${encodeURIComponent(version)}`}`;

export const servedMark = (status: ModelState["status"]) =>
  ({
    symbol: status === "ready" ? "✓" : status === "failed" ? "✗" : "•",
    word: status,
    tone: status === "ready" ? "ok" : status === "failed" ? "bad" : "plain",
  }) as const;

export function ServedPage({ name, version }: { readonly name: string; readonly version: string | undefined }) {
  const [list, again] = useLoaded(askList, [name, version]);
  const state = list.value?.served.find((one) => one.name === name && one.version === (version ?? ""));
  return (
    <>
      <p class="way-back">
        <a href="#/models">← All models</a>
      </p>
      <h1>{harmless(name)}</h1>
      {list.state === "failed" && <ErrorBox says={list.says} onRetry={again} />}
      {list.state === "loading" && list.value === undefined && <Spinner />}
      {list.value !== undefined && state === undefined && (
        <Empty title="This server serves no such model.">
          <a href="#/models">What it has</a>
        </Empty>
      )}
      {state !== undefined && <Served state={state} />}
    </>
  );
}

function Served({ state }: { readonly state: ModelState }) {
  const { status, reason } = state;
  const why = whyNot(state);
  const ports = [
    ...state.inputs.map((port) => ({ way: "in", port })),
    ...state.outputs.map((port) => ({ way: "out", port })),
  ];
  return (
    <>
      <p class="summary">
        <Badge {...servedMark(status)} /> <span class="soft">served by this server</span> {reason}
      </p>
      <Facts
        facts={[
          ...(state.version === "" ? [] : [{ name: "Version", value: state.version }]),
          ...(state.format === undefined ? [] : [{ name: "Format", value: state.format }]),
          ...(state.delegate === undefined ? [] : [{ name: "Delegate", value: state.delegate }]),
          ...(state.device === undefined ? [] : [{ name: "Device", value: state.device }]),
          { name: "Batches", value: state.max_batch > 0 ? `up to ${state.max_batch}` : "none" },
        ]}
      />
      {ports.length > 0 && (
        <>
          <h2>Inputs and outputs</h2>
          <DataTable
            label="Inputs and outputs"
            rows={ports}
            rowKey={({ way, port }) => `${way} ${port.name}`}
            columns={[
              { key: "way", title: "Way", value: ({ way }) => way },
              { key: "name", title: "Name", value: ({ port }) => harmless(port.name), mono: true },
              { key: "type", title: "Type", value: ({ port }) => typeNamed(port.type) ?? port.type },
              { key: "shape", title: "Shape", value: ({ port }) => shapeWord(port.shape), mono: true },
            ]}
          />
        </>
      )}
      <h2>Run</h2>
      {why === undefined ? <Run state={state} /> : <p>{why}</p>}
      <h2>From a program</h2>
      {state.streams ? (
        <Command text={chatCommand(state, location.origin)} />
      ) : (
        <>
          <p class="soft">Its description, and a run; the protocol is the Open Inference Protocol, version 2.</p>
          <Commands
            commands={[
              describeCommand(state, location.origin),
              ...(why === undefined ? [curlCommand(state, location.origin)] : []),
            ]}
          />
        </>
      )}
    </>
  );
}

const shapeWord = (shape: ModelState["inputs"][number]["shape"]): string =>
  shape.length === 0 ? "one value" : shape.map((size) => size ?? "?").join("×");

type Ran =
  | { readonly is: "none" }
  | { readonly is: "running" }
  | { readonly is: "done"; readonly ms: number; readonly on: string; readonly outputs: readonly InferOutput[] }
  | { readonly is: "failed"; readonly says: string };

function Run({ state }: { readonly state: ModelState }) {
  const [ran, setRan] = useState<Ran>({ is: "none" });
  const picture = state.inputs.find(isPicture);
  const run = async (file?: File): Promise<void> => {
    setRan({ is: "running" });
    try {
      const inputs: Tensor[] = [];
      for (const port of state.inputs) {
        inputs.push(file !== undefined && port === picture ? await valuesOfPicture(port, file) : valuesMade(port));
      }
      const begun = performance.now();
      const outputs = await infer(state, inputs);
      setRan({ is: "done", ms: performance.now() - begun, on: file?.name ?? "values from 0 to 1", outputs });
      announce("Run is done");
    } catch (error) {
      setRan({ is: "failed", says: sentence(error) });
    }
  };
  useDrop(
    useMemo(
      () => ({
        says: picture === undefined ? "Drop a model" : "Drop a picture for this model, or a model",
        take: async ([file]: readonly File[]) => {
          if (picture === undefined || file?.type.startsWith("image/") !== true) return false;
          await run(file);
          return true;
        },
      }),
      [state],
    ),
  );
  return (
    <>
      <p class="served-actions">
        <button type="button" class="primary" disabled={ran.is === "running"} onClick={() => void run()}>
          Run with made-up values
        </button>
        {picture !== undefined && (
          <FileButton
            onFiles={([file]) => {
              if (file !== undefined) void run(file);
            }}
          >
            Run on a picture …
          </FileButton>
        )}
      </p>
      <p class="soft small">
        {picture === undefined
          ? "No input looks like a picture (four sizes, 1 or 3 channels); sizes the model leaves open are taken as 1."
          : `A picture is squeezed to ${pictureLayout(picture)?.width ?? 0}×${pictureLayout(picture)?.height ?? 0}; its values go ${picture.type === "uint8" || picture.type === "int8" ? "as bytes" : "from 0 to 1"}. What the model was trained with, the server is not told.`}
      </p>
      {ran.is === "running" && <Spinner says="Running" />}
      {ran.is === "failed" && (
        <ErrorBox title="It did not run:" says={ran.says} onDismiss={() => setRan({ is: "none" })} />
      )}
      {ran.is === "done" && (
        <section class="served-result" aria-label="Result">
          <p>
            On {harmless(ran.on)}, answered in {ran.ms.toFixed(1)} ms, with the way there and back.
          </p>
          {ran.outputs.map((output) => (
            <Output key={output.name} output={output} />
          ))}
        </section>
      )}
    </>
  );
}

/** Rows that are shown of an output: the highest where there are many. */
const SHOWN = 10;

function Output({ output }: { readonly output: InferOutput }) {
  const { name, datatype, shape, data } = output;
  const numbers = data.every((value) => typeof value === "number");
  const rows = data.map((value, at) => ({ at, value }));
  const many = rows.length > SHOWN;
  const shown = many && numbers ? [...rows].sort((a, b) => Number(b.value) - Number(a.value)) : rows;
  const label = `${harmless(name)}: ${datatype} ${shape.join("×")}`;
  return (
    <>
      <h3>{label}</h3>
      <p class="soft small">
        {!many
          ? "All values."
          : numbers
            ? `The highest ${SHOWN} of ${rows.length}.`
            : `The first ${SHOWN} of ${rows.length}.`}
      </p>
      <DataTable
        label={label}
        rows={shown.slice(0, SHOWN)}
        rowKey={({ at }) => String(at)}
        columns={[
          { key: "at", title: "Place", value: ({ at }) => at, align: "end" },
          {
            key: "value",
            title: "Value",
            value: ({ value }) => (typeof value === "number" ? value : String(value)),
            cell: ({ value }) => (typeof value === "number" ? Number(value.toPrecision(6)) : harmless(String(value))),
            align: "end",
            mono: true,
          },
        ]}
      />
    </>
  );
}
