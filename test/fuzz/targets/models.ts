/**
 * Model files, one target a format: changed blindly, by the structure of their container, put together from two, and so that they
 * contradict themselves by construction. Each gives a model with its findings or one error with its offset; what contradicts itself is
 * not called whole; nothing but the file is opened.
 */

import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { Ajv2020 } from "ajv/dist/2020.js";

import { FileError } from "../../../src/base/errors.ts";
import { modelFileOf } from "../../../src/formats/file.ts";
import { formats } from "../../../src/formats/index.ts";
import { compareModels } from "../../../src/inspect/compare.ts";
import { describeFile, describeOpened, isModel, type Described } from "../../../src/inspect/describe.ts";
import type { NoModel } from "../../../src/inspect/inspection.ts";
import { comparisonText } from "../../../src/print/comparison.ts";
import { renderDot, renderGraphHtml, renderSvg } from "../../../src/print/graph.ts";
import { inspectionSchema } from "../../../src/print/model-schema.ts";
import { modelText, noModelText } from "../../../src/print/model.ts";
import { plainTerminal } from "../../../src/print/terminal.ts";
import { noControls } from "../check.ts";
import { onlyOpens } from "../guard.ts";
import { pick, type Random } from "../mutate.ts";
import { anatomyOfSeed, modelSeeds, SMALL, type Seed } from "../seeds/models.ts";
import { breakLink, changeBlindly, changeByStructure, changeHeader, cutShort, splice } from "../structure/model.ts";
import type { Mutant } from "../structure/spot.ts";
import { Complaint, type Case, type Target } from "../target.ts";

/** Bytes one case may add. */
const MEMORY = 200 * 1000 * 1000;
/** From a real path, as the command does: it costs a write. */
const FROM_DISK = 1 / 32;
const VALIDATED = 1 / 16;
const REPEATED = 1 / 16;
const DRAWN = 1 / 64;
const COMPARED = 1 / 64;
const LARGE_SEEDS = 1 / 12;

const fuzzed: readonly string[] = formats.map(({ id }) => id).filter((id) => modelSeeds(id).length > 0);

export const models: readonly Target[] = fuzzed.map((id) => ({
  name: `model ${id}`,
  group: "models",
  share: 1,
  memory: MEMORY,
  make: (random) => makeCase(id, random),
}));

/** Formats of which there is neither a sample nor a real file: nothing of them is tried. */
export const notFuzzed: readonly string[] = formats.filter(({ id }) => modelSeeds(id).length === 0).map(({ id }) => id);

/**
 * Links of FlatBuffers that are in no published schema, or in one whose numbering changes with each commit: nobody but the compiler's own
 * runtime can follow them, and readers say that they do not.
 */
const opaque: Readonly<Record<string, RegExp>> = {
  rknn: /^root\.(?:1[4-9]|2\d)|^root\.2\[\]\.(?:[7-9]|1\d)|^root\.2\[\]\.[01]\[\]\.(?:[68]|1\d)|^root\.2\[\]\.\d\.|^root\.2\[\]\.[01]\[\]\.\d+\[\]/,
  // Numbers and bytes that look like offsets: codes and versions of operators, values of compile options, relocations.
  tflite: /^root\.1\[\]\.[023]/,
  "edgetpu-tflite": /^root\.1\[\]\.[023]/,
  "vela-tflite": /^root\.1\[\]\.[023]/,
  "neutron-tflite": /^root\.1\[\]\.[023]/,
  "litert-npu": /^root\.1\[\]\.[023]/,
  mnn: /^root\.3\[\]\.[56] /,
  "nvdla-loadable": /^root\.5\[\]\.4|^root\.7\[\]\.\d/,
  pte: /\.7\[\]\.2\[\]\.1|^root\.1\[\]\.1\./,
  ttnn: /^root\.[124] |^root\.4\.0|^root\.3\.0|\.3\[\]\.1|\[\]\.[12]\[\]\.\d|^root\.3\[\]\.4|^root\.2\.0\[\]\.|^root\.5/,
};

function makeCase(id: string, random: Random): Case {
  const seed = pickSeed(id, random);
  const mutant = mutate(id, seed, random);
  return {
    input: mutant.bytes,
    run: () => {
      check(seed, mutant, random);
    },
  };
}

function pickSeed(id: string, random: Random): Seed {
  const all = modelSeeds(id);
  const small = all.filter(({ bytes }) => bytes.length <= SMALL);
  return pick(random, small.length > 0 && random() > LARGE_SEEDS ? small : all);
}

function mutate(id: string, seed: Seed, random: Random): Mutant {
  const anatomy = anatomyOfSeed(seed, opaque[id]);
  const kind = random();
  if (kind < 0.25) return changeBlindly(anatomy, random);
  if (kind < 0.55) return changeByStructure(anatomy, random);
  if (kind < 0.7) return changeHeader(anatomy, random);
  if (kind < 0.75) return splice(seed.bytes, pickSeed(pick(random, fuzzed), random).bytes, random);
  if (kind < 0.88) return breakLink(anatomy, random) ?? changeByStructure(anatomy, random);
  return cutShort(anatomy, random) ?? changeBlindly(anatomy, random);
}

let validate: ((inspection: unknown) => string | undefined) | undefined;

function check(seed: Seed, { bytes, how, contradicts = false }: Mutant, random: Random): void {
  const tensors = random() < 0.25;
  const read = (): Described | NoModel => describeOpened(modelFileOf(bytes, seed.name), { tensors });
  const onDisk = random() < FROM_DISK;
  let described: Described | NoModel;
  try {
    described = onDisk ? fromDisk(seed.name, bytes) : onlyOpens(undefined, read);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const { offset } = error;
    if (offset === undefined) throw new Complaint(`an error without an offset: ${error.message} (${how})`);
    if (!Number.isInteger(offset) || offset < 0 || offset > bytes.length)
      throw new Complaint(`an error at ${offset} of ${bytes.length} bytes: ${error.message} (${how})`);
    throw error;
  }
  if (!isModel(described)) {
    noControls("what it is instead", noModelText(described, plainTerminal));
    return;
  }
  const { model, inspection } = described;
  for (const { offset, rule, says } of model.integrity) {
    if (offset !== undefined && (!Number.isInteger(offset) || offset < 0 || offset > bytes.length))
      throw new Complaint(`${rule} at ${offset} of ${bytes.length} bytes: ${says} (${how})`);
  }
  if (contradicts && !isTold(described)) throw new Complaint(`called whole: ${how} of ${seed.name}`);
  noControls("text", modelText(inspection, plainTerminal, { ops: true, tensors }));
  const json = JSON.stringify(inspection);
  if (random() < VALIDATED) {
    const wrong = (validate ??= createValidator())(JSON.parse(json));
    if (wrong !== undefined) throw new Complaint(`the inspection breaks its schema: ${wrong} (${how})`);
  }
  if (!onDisk && random() < REPEATED) {
    const again = read();
    if (JSON.stringify("inspection" in again ? again.inspection : again) !== json)
      throw new Complaint(`read twice it is another (${how})`);
  }
  if (random() < DRAWN) {
    const draw = pick(random, [renderDot, renderSvg, renderGraphHtml]);
    if (/<script|\u0000/i.test(draw(model, seed.name))) throw new Complaint("a tag of the file's reached the drawing");
  }
  if (random() < COMPARED) {
    const whole = describeOpened(modelFileOf(seed.bytes, seed.name));
    if (isModel(whole))
      noControls("comparison", comparisonText(compareModels(whole.inspection, inspection), plainTerminal));
  }
}

/** As `inspect` opens it: by its path, and no other. */
function fromDisk(name: string, bytes: Uint8Array): Described | NoModel {
  const path = `${tmpdir()}/accelctl-fuzz-${process.pid}-${name}`;
  writeFileSync(path, bytes);
  try {
    return onlyOpens(path, () => describeFile(path));
  } finally {
    rmSync(path, { force: true });
  }
}

/** An error is among the findings, or the reader says that the container gives it no means to tell. */
const isTold = ({ model }: Described): boolean =>
  model.integrity.some(({ severity }) => severity === "error") ||
  model.unseen.some((sentence) => sentence.startsWith("whether it is whole"));

function createValidator(): (inspection: unknown) => string | undefined {
  const validator = new Ajv2020({ allErrors: false, strict: false }).compile(inspectionSchema);
  return (inspection) => (validator(inspection) ? undefined : JSON.stringify(validator.errors?.slice(0, 2)));
}
