/** What one can look at: the example, what was uploaded, what the server serves; and how to add to it. */

import { Badge, bytes, DataTable, Empty, ErrorBox, harmless, plural, Spinner } from "../parts/index.ts";
import { askList, uploads, type ModelEntry, type ModelList as List } from "./api.ts";
import { addressOfServed, servedMark } from "./served.tsx";
import { FileButton } from "./file-button.tsx";
import { RemoveButton } from "./remove-button.tsx";
import { useLoaded } from "./load.ts";

export interface ModelListProps {
  readonly onFiles: (files: readonly File[]) => void;
}

export function ModelList({ onFiles }: ModelListProps) {
  const [list, again] = useLoaded(askList, [uploads.value]);
  return (
    <>
      <h1>Models</h1>
      <p class="soft lead">
        Look into a model file, see what it costs and where it runs on this machine, and run it. A file is read on the
        machine that accelctl runs on, in a process of its own, and forgotten when you remove it or stop accelctl.
      </p>
      {list.state === "failed" && <ErrorBox says={list.says} onRetry={again} />}
      {list.value === undefined ? (
        list.state === "loading" && <Spinner />
      ) : (
        <Listed list={list.value} onFiles={onFiles} onChange={again} />
      )}
    </>
  );
}

function Listed({ list, onFiles, onChange }: ModelListProps & { readonly list: List; readonly onChange: () => void }) {
  const demo = list.models.find((model) => model.demo === true);
  const own = list.models.filter((model) => model.demo !== true).reverse();
  return (
    <>
      {list.no_upload === undefined ? (
        <section class="model-drop" aria-labelledby="drop-title">
          <h2 id="drop-title">Drop a model file anywhere on this page</h2>
          <p class="model-drop-actions">
            <FileButton class="primary" many onFiles={onFiles}>
              Choose files …
            </FileButton>
            {demo !== undefined && <a href={`#/models/${demo.id}`}>or try the one that comes with accelctl</a>}
          </p>
          <p class="soft small">
            ONNX, TFLite, OpenVINO, GGUF, safetensors, PyTorch, TensorFlow, Core ML, ncnn, MNN, and what compilers of
            accelerators write. Of models in several files, choose all at once. {bytes(list.limits.file_bytes)} a file,{" "}
            {bytes(list.limits.all_bytes)} in all.
          </p>
        </section>
      ) : (
        <Empty title="No models can be uploaded here.">
          <p>{list.no_upload}</p>
          {demo !== undefined && <a href={`#/models/${demo.id}`}>Look at the one that comes with accelctl</a>}
        </Empty>
      )}
      <section aria-labelledby="here-title">
        <h2 id="here-title">Here now</h2>
        <ul class="model-list">
          {own.map((model) => (
            <Row key={model.id} model={model} onChange={onChange} />
          ))}
          {demo !== undefined && <Row model={demo} onChange={onChange} />}
        </ul>
        {own.length === 0 && demo === undefined && <p class="soft">Nothing yet.</p>}
      </section>
      {list.served.length > 0 && (
        <section aria-labelledby="served-title">
          <h2 id="served-title">Served by this server</h2>
          <p class="soft">
            Each can be run from its page; queues and latencies are in <a href="#/live">Live</a>.
          </p>
          <DataTable
            label="Served models"
            rows={list.served}
            rowKey={({ name, version }) => `${name} ${version}`}
            columns={[
              {
                key: "name",
                title: "Model",
                value: ({ name }) => name,
                cell: (state) => <a href={addressOfServed(state)}>{harmless(state.name)}</a>,
                mono: true,
              },
              { key: "version", title: "Version", value: ({ version }) => version, align: "end" },
              {
                key: "status",
                title: "Status",
                value: ({ status }) => status,
                cell: ({ status, reason }) => (
                  <>
                    <Badge bare {...servedMark(status)} /> {reason}
                  </>
                ),
              },
              { key: "format", title: "Format", value: ({ format }) => format },
              { key: "delegate", title: "Delegate", value: ({ delegate }) => delegate },
              { key: "device", title: "Device", value: ({ device }) => device },
              { key: "in", title: "Inputs", value: ({ inputs }) => inputs.length, align: "end" },
              { key: "out", title: "Outputs", value: ({ outputs }) => outputs.length, align: "end" },
            ]}
          />
        </section>
      )}
    </>
  );
}

function Row({ model, onChange }: { readonly model: ModelEntry; readonly onChange: () => void }) {
  const total = model.files.reduce((sum, file) => sum + file.bytes, 0);
  return (
    <li>
      <a class="model-name" href={`#/models/${model.id}`}>
        {model.name}
      </a>
      <span class="soft">
        {bytes(total)}
        {model.files.length > 1 && ` in ${plural(model.files.length, "file")}`}
        {model.demo === true && " · comes with accelctl, with a picture to run it on"}
      </span>
      {model.demo !== true && <RemoveButton model={model} onRemoved={onChange} />}
    </li>
  );
}
