/** What the view asks of /api/models. Answers are of our own server's version. */

import { signal } from "@preact/signals";
import { ask, request, sentence } from "../api.ts";
import type {
  FitAnswer,
  GraphAnswer,
  ModelAnswer,
  ModelEntry,
  ModelList,
  OperatorAnswer,
  OperatorsAnswer,
  PlacedAnswer,
  RunAnswer,
  RunRequest,
} from "../../../src/serve/page/models-types.ts";

export type * from "../../../src/serve/page/models-types.ts";

/** What is being uploaded now, in words; undefined: nothing. */
export const uploading = signal<string | undefined>(undefined);
export const uploadFailed = signal<string | undefined>(undefined);
/** Counts uploads: what was asked about a model may be answered anew. */
export const uploads = signal(0);

const at = (id: string, rest = ""): string => `/api/models/${encodeURIComponent(id)}${rest}`;

export const askList = (signal?: AbortSignal): Promise<ModelList> => ask("/api/models", wait(signal));
export const askModel = (id: string, signal?: AbortSignal): Promise<ModelAnswer> => ask(at(id), wait(signal));
export const removeModel = (id: string): Promise<unknown> => ask(at(id), { method: "DELETE" });

export interface GraphWish {
  readonly graph: number | undefined;
  /** Undefined: as the server thinks best. */
  readonly open: readonly string[] | undefined;
  readonly whole: boolean;
  /** Target by which boxes are coloured. */
  readonly by: string | undefined;
}

export function askGraph(
  id: string,
  { graph, open, whole, by }: GraphWish,
  signal?: AbortSignal,
): Promise<GraphAnswer> {
  const query = new URLSearchParams();
  if (graph !== undefined) query.set("graph", String(graph));
  if (open !== undefined) query.set("open", open.join(","));
  if (whole) query.set("whole", "1");
  if (by !== undefined) query.set("by", by);
  return ask(at(id, `/graph?${query.toString()}`), wait(signal));
}

export interface OperatorsWish {
  readonly graph: number;
  readonly find?: string;
  readonly from?: number;
  readonly most: number;
}

export function askOperators(id: string, wish: OperatorsWish, signal?: AbortSignal): Promise<OperatorsAnswer> {
  const query = new URLSearchParams({ graph: String(wish.graph), most: String(wish.most) });
  if (wish.find !== undefined) query.set("find", wish.find);
  if (wish.from !== undefined) query.set("from", String(wish.from));
  return ask(at(id, `/operators?${query.toString()}`), wait(signal));
}

export function askOperator(
  id: string,
  { graph, node, by }: { readonly graph: number; readonly node: number; readonly by: string | undefined },
  signal?: AbortSignal,
): Promise<OperatorAnswer> {
  const query = new URLSearchParams({ graph: String(graph), ...(by === undefined ? {} : { by }) });
  return ask(at(id, `/operators/${node}?${query.toString()}`), wait(signal));
}

/** What the model is asked to be otherwise; "" is as it is. */
export interface WhatIf {
  readonly precision: "" | "int8" | "float16" | "float32";
  readonly batch: string;
  readonly input: string;
}

const whatIf = ({ precision, batch, input }: WhatIf): string =>
  new URLSearchParams(Object.entries({ precision, batch, input }).filter(([, word]) => word !== "")).toString();

export const askFit = (id: string, asked: WhatIf, signal?: AbortSignal): Promise<FitAnswer> =>
  ask(at(id, `/fit?${whatIf(asked)}`), wait(signal));

export const askPlaced = (id: string, target: string, asked: WhatIf, signal?: AbortSignal): Promise<PlacedAnswer> =>
  ask(at(id, `/fit/${encodeURIComponent(target)}?${whatIf(asked)}`), wait(signal));

export function runModel(id: string, body: RunRequest, signal: AbortSignal): Promise<RunAnswer> {
  return ask(at(id, "/run"), { method: "POST", body: JSON.stringify(body), signal });
}

/** Gives its id for RunRequest.input. */
export async function sendInput(id: string, file: File): Promise<string> {
  const { input } = await ask<{ readonly input: string }>(at(id, `/input?name=${encodeURIComponent(file.name)}`), {
    method: "POST",
    body: file,
  });
  return input;
}

export const fetchInput = async (id: string, input: string): Promise<Blob> =>
  (await request(at(id, `/input/${encodeURIComponent(input)}`))).blob();

/** Files of one model, one after the other. Gives its id; undefined where it failed, which uploadFailed tells. */
export async function upload(files: readonly File[], to?: string): Promise<string | undefined> {
  let id = to;
  uploadFailed.value = undefined;
  try {
    for (const file of files) {
      uploading.value = file.name;
      const query = new URLSearchParams({ name: file.name, ...(id === undefined ? {} : { to: id }) });
      const made = await ask<ModelEntry>(`/api/models?${query.toString()}`, { method: "POST", body: file });
      id = made.id;
    }
    uploads.value++;
    return id;
  } catch (error) {
    uploadFailed.value = sentence(error);
    return undefined;
  } finally {
    uploading.value = undefined;
  }
}

const wait = (signal: AbortSignal | undefined): RequestInit => (signal === undefined ? {} : { signal });
