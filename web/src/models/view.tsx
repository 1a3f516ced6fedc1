/** Models: what a file is, what is in it, where it runs here, and running it. */

import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import type { ViewProps } from "../app.tsx";
import { ErrorBox, Spinner, useDrop, type DropTaker } from "../parts/index.ts";
import { upload, uploadFailed, uploading } from "./api.ts";
import { isForModels } from "./files.ts";
import { ModelList } from "./list.tsx";
import { ModelPage, type TakeFiles } from "./model-page.tsx";
import { ServedPage } from "./served.tsx";
import "./models.css";

export default function ModelsView({ path: [id, tab, more] }: ViewProps) {
  /** The page of a model may want what was dropped: its other file, a picture. */
  const page = useRef<TakeFiles | undefined>(undefined);
  const take = useCallback(async (files: readonly File[]): Promise<boolean> => {
    if (page.current?.(files) === true) return true;
    if (!(await isForModels(files))) return false;
    void show(files);
    return true;
  }, []);
  useDrop(useMemo((): DropTaker => ({ says: "Drop a model, or a picture for it", take }), [take]));
  useEffect(
    () => () => {
      uploadFailed.value = undefined;
    },
    [],
  );
  return (
    <div class="models">
      {uploading.value !== undefined && <Spinner says={`Uploading ${uploading.value}`} />}
      {uploadFailed.value !== undefined && (
        <ErrorBox
          title="This file was not taken:"
          says={uploadFailed.value}
          onDismiss={() => (uploadFailed.value = undefined)}
        />
      )}
      {id === undefined ? (
        <ModelList onFiles={(files) => void show(files)} />
      ) : id === "served" && tab !== undefined ? (
        <ServedPage key={`${tab} ${more ?? ""}`} name={tab} version={more} />
      ) : (
        <ModelPage key={id} id={id} tab={tab} more={more} taker={page} />
      )}
    </div>
  );
}

async function show(files: readonly File[]): Promise<void> {
  const id = await upload(files);
  if (id !== undefined) location.hash = `#/models/${id}`;
}
