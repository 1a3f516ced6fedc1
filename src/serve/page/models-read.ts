/**
 * What a model file is and where it can run here: the work behind GET /api/models/:id. It happens in a process of its own
 * (models-child.ts), because the files are strangers' and reading a large one takes a while.
 */

import { AccelctlError, FileError, UsageError } from "../../base/errors.ts";
import { describeFile, isModel, noModelSentence, type Described } from "../../inspect/describe.ts";
import { fitModel } from "../../inspect/fit.ts";
import type { Fit, NoModel } from "../../inspect/inspection.ts";
import { openRoot } from "../../root/open.ts";
import type { Root } from "../../root/root.ts";
import { choose, type Candidate } from "../../session/choose.ts";
import type { ModelAnswer, Offer } from "./models-types.ts";

export interface ReadWork {
  /** Of one model, all in one folder. */
  readonly files: readonly string[];
  /** For openRoot(); absent: this machine. */
  readonly root?: string;
  readonly environments: readonly string[];
}

/** What is known of a file that was read; the child keeps the last few. */
export interface ReadModel {
  /** Path of the file that counts. */
  readonly main: string;
  readonly described?: Described;
  readonly none?: NoModel;
  readonly broken?: FileError;
}

/** What the page is told, but for what the server knows itself. */
export type ReadAnswer = Omit<ModelAnswer, "id" | "name" | "files" | "demo" | "read_ms"> & { readonly main: string };

/** Files that hold numbers for another one, whatever else they may be; and names of classes. */
const DATA = /\.(?:bin|data|weights|pb|params)$/i;
const LABELS = /(?:^|[/_.-])(?:labels?|classes|names)[^/]*\.(?:txt|json|pbtxt)$/i;

export const labelsAmong = (files: readonly string[]): string | undefined => files.find((path) => LABELS.test(path));

/** Finds the one that is the model. */
export function readFiles(files: readonly string[]): ReadModel {
  const inOrder = files
    .filter((path) => files.length === 1 || !LABELS.test(path))
    .toSorted((a, b) => Number(DATA.test(a)) - Number(DATA.test(b)));
  const read = (inOrder.length > 0 ? inOrder : files).map(readOne);
  const models = read.filter(({ described }) => described !== undefined);
  const needing = models.find(({ described }) => (described?.model.needs.length ?? 0) > 0);
  const found = needing ?? models[0] ?? read.find(({ broken }) => broken !== undefined) ?? read[0];
  if (found === undefined) throw new UsageError("there is no file of this model yet");
  return found;
}

function readOne(path: string): ReadModel {
  try {
    const described = describeFile(path);
    return isModel(described) ? { main: path, described } : { main: path, none: described };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { main: path, broken: error };
  }
}

export function answerRead({ main, described, none, broken }: ReadModel, work: ReadWork): ReadAnswer {
  const rest = { main, offers: [], passed_over: [], missing: [] };
  if (broken !== undefined) return { ...rest, state: "broken", says: broken.message };
  if (none !== undefined) return { ...rest, state: "no-model", says: noModelSentence(none), looks: none.looks };
  if (described === undefined) return { ...rest, state: "no-model", says: "nothing could be read" };
  const { model, inspection } = described;
  const root = openRoot(work.root);
  const machine = fitModel(model, inspection, root, { environments: work.environments });
  const has = new Set(work.files.map((path) => path.slice(path.lastIndexOf("/") + 1)));
  return {
    ...rest,
    state: "model",
    inspection: { ...inspection, machine },
    ...offersOf(described, machine, root, work),
    missing: model.needs.filter((name) => !has.has(name)),
  };
}

/** The candidates of `accelctl run`, and after them those whose route could not be judged: a person may ask for these by name. */
function offersOf(
  described: Described,
  { devices }: Fit,
  root: Root,
  { environments }: ReadWork,
): Pick<ReadAnswer, "offers" | "passed_over"> {
  const wish = { fallback: false, environments };
  const { candidates, passed } = choose(described, () => root, { ...wish, device: "auto" });
  const offers = new Map<string, Offer>();
  const add = (candidate: Candidate): void => {
    const offer = offerOf(candidate, devices);
    const key = [offer.device, offer.route, offer.delegate.id].join(" ");
    if (!offers.has(key)) offers.set(key, offer);
  };
  for (const candidate of candidates.filter(({ device }) => device !== "cpu")) add(candidate);
  const doubtful = devices.filter(
    ({ family, routes }) => family !== "cpu" && routes.some(({ accepts, works }) => accepts && works === "unknown"),
  );
  for (const family of new Set(doubtful.map((device) => device.family))) {
    try {
      const asked = choose(described, () => root, { ...wish, device: family });
      for (const candidate of asked.candidates) add(candidate);
    } catch (error) {
      if (!(error instanceof AccelctlError)) throw error;
    }
  }
  for (const candidate of candidates.filter(({ device }) => device === "cpu")) add(candidate);
  return { offers: [...offers.values()], passed_over: passed };
}

function offerOf({ delegate, device, at, route, why }: Candidate, devices: Fit["devices"]): Offer {
  const same = devices.filter(({ family }) => family === device);
  const index = same.findIndex((one) => one.device === at?.id);
  return {
    device: index > 0 ? `${device}:${index}` : device,
    ...(at === undefined ? {} : { name: at.name }),
    delegate: { id: delegate.id, name: delegate.name },
    ...(route === undefined ? {} : { route }),
    why,
  };
}
