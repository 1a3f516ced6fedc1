/** Removes an upload, and says so, or says why not. */

import { useState } from "preact/hooks";
import { sentence } from "../api.ts";
import { announce, ErrorBox } from "../parts/index.ts";
import { removeModel, type ModelEntry } from "./api.ts";

export interface RemoveButtonProps {
  readonly model: Pick<ModelEntry, "id" | "name">;
  readonly onRemoved: () => void;
}

export function RemoveButton({ model, onRemoved }: RemoveButtonProps) {
  const [failed, setFailed] = useState<string | undefined>(undefined);
  const remove = async (): Promise<void> => {
    try {
      await removeModel(model.id);
      announce(`${model.name} removed`);
      onRemoved();
    } catch (error) {
      setFailed(sentence(error));
    }
  };
  return (
    <>
      <button type="button" class="small" aria-label={`Remove ${model.name}`} onClick={() => void remove()}>
        Remove
      </button>
      {failed !== undefined && <ErrorBox says={failed} onDismiss={() => setFailed(undefined)} />}
    </>
  );
}
