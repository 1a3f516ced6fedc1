/**
 * Meters that ask a driver through its node: Gaudi's control node, AMD's NPU. The questions are those of facts/queries; only those that
 * a metric needs are put. What wakes a device waits for leave, and a device that once did not answer is left alone for a while.
 */

import { absent, uncaptured, type Reading } from "../base/reading.ts";
import { askAmdxdna } from "../facts/queries/amdxdna.ts";
import { converse, type Answers, type Say } from "../facts/queries/conversation.ts";
import { askHabanalabs, CONTROL_NODE } from "../facts/queries/habanalabs.ts";
import { openBackgroundAsker } from "../root/ioctl-background.ts";
import { NO_ANSWER } from "../root/ioctl.ts";
import type { Root } from "../root/root.ts";
import { treeOf } from "../root/tree.ts";
import type { Meter, Named } from "./meter.ts";
import type { Place } from "./place.ts";
import type { Metric } from "./sample.ts";
import { metricOf, unknown } from "./value.ts";

/** A question that hangs costs seconds: its device is not asked again for so long. */
const REST_MS = 60_000;

interface Question {
  readonly name: string;
  readonly part?: string;
  /** Words of the questions (conversation.ts) it takes. */
  readonly asks: readonly string[];
  readonly wakes: boolean;
  readonly of: (answers: Answers) => readonly { readonly part?: string; readonly reading: Reading<number> }[];
}

interface Speaker {
  readonly drivers: readonly string[];
  readonly node: RegExp;
  readonly ask: (say: Say, name: string) => Answers;
  readonly questions: readonly Question[];
}

const one =
  (name: string) =>
  (answers: Answers): readonly { readonly reading: Reading<number> }[] => [{ reading: numberOf(answers, name) }];

const SPEAKERS: readonly Speaker[] = [
  {
    drivers: ["amdxdna"],
    node: /^accel\d+$/,
    ask: (say) => askAmdxdna(say),
    questions: [
      { name: "power_watts", asks: ["SENSORS"], wakes: true, of: one("power_watts") },
      {
        name: "busy_ratio",
        asks: ["SENSORS"],
        wakes: true,
        of: (answers) => {
          const columns = Object.keys(answers).flatMap(
            (key) => /^column_(\d+)_utilization_ratio$/.exec(key)?.[1] ?? [],
          );
          return columns.length === 0
            ? [{ reading: absent("DRM_IOCTL_AMDXDNA_GET_INFO SENSORS", "this driver tells no load of columns") }]
            : columns.map((column) => ({
                part: `column ${column}`,
                reading: numberOf(answers, `column_${column}_utilization_ratio`),
              }));
        },
      },
      { name: "clock_hertz", part: "MP-NPU", asks: ["CLOCK_METADATA"], wakes: true, of: one("mp_npu_clock_hertz") },
      { name: "clock_hertz", part: "H", asks: ["CLOCK_METADATA"], wakes: true, of: one("h_clock_hertz") },
      { name: "task_count", asks: ["RESOURCE_INFO"], wakes: true, of: one("npu_tasks_current") },
    ],
  },
  {
    drivers: ["habanalabs"],
    node: CONTROL_NODE,
    ask: (say, name) => askHabanalabs(say, name),
    questions: [
      {
        name: "memory_bytes",
        asks: ["HW_IP_INFO", "DRAM_USAGE"],
        wakes: false,
        of: (answers) => {
          const [all, free] = [numberOf(answers, "dram_bytes"), numberOf(answers, "dram_free_bytes")];
          if (all.state !== "read") return [{ reading: all }];
          return [{ reading: free.state === "read" ? { ...free, value: all.value - free.value } : free }];
        },
      },
      { name: "memory_total_bytes", asks: ["HW_IP_INFO"], wakes: false, of: one("dram_bytes") },
      { name: "busy_ratio", asks: ["DEVICE_UTILIZATION"], wakes: true, of: one("utilization_ratio") },
    ],
  },
];

export function askMeters({ root, device, driver }: Place, query: boolean): readonly Meter[] {
  const speaker = SPEAKERS.find(({ drivers }) => driver !== undefined && drivers.includes(driver));
  const node = device.nodes.find(({ name }) => speaker?.node.test(name.slice(name.lastIndexOf("/") + 1)) === true);
  if (speaker === undefined || node === undefined) return [];
  return [askMeter(root, node.path, speaker, query)];
}

function askMeter(root: Root, path: string, speaker: Speaker, query: boolean): Meter {
  const asked = speaker.questions.filter(({ wakes }) => query || !wakes || root.kind !== "live");
  const held = speaker.questions.filter((question) => !asked.includes(question));
  const wanted = new Set(asked.flatMap(({ asks }) => asks));
  let restUntil = -Infinity;
  const background =
    query && isThisMachine(root) && asked.some(({ wakes }) => wakes) ? openBackgroundAsker() : undefined;
  // Questions that wake go to a child, and waiting for it would hold up every sample: what it was answered a moment ago will do.
  const asking: Root =
    background === undefined
      ? root
      : {
          ...root,
          ask: (node, ask) => (ask.wakes === true ? background.ask(node, ask) : undefined) ?? root.ask(node, ask),
        };
  const gives = speaker.questions.map((question) => namedOf(question, path));
  return {
    safe: false,
    gives,
    read(tick): readonly Metric[] {
      const waiting = held.map((question): Metric => {
        const { name, part, from } = namedOf(question, path);
        return unknown(name, part, from, "asleep", "asking wakes or disturbs the device: --query asks all the same");
      });
      if (asked.length === 0) return waiting;
      if (tick.time() < restUntil) {
        return [...asked.map((question) => unanswered(namedOf(question, path))), ...waiting];
      }
      const answers = speaker.ask(
        only(converse(asking, path, query), wanted, path),
        path.slice(path.lastIndexOf("/") + 1),
      );
      if (
        Object.values(answers).some((answer) => answer.state !== "read" && answer.why?.includes(NO_ANSWER) === true)
      ) {
        restUntil = tick.time() + REST_MS;
      }
      const needs = `who may open ${path} (root, or its group)`;
      const metrics = asked.flatMap((question) =>
        question.of(answers).map(({ part, reading }) => metricOf(question.name, part ?? question.part, reading, needs)),
      );
      return [...metrics, ...waiting];
    },
    ...(background === undefined ? {} : { close: () => background.close() }),
  };
}

/** Not a made or saved one that answers in its place. */
const isThisMachine = (root: Root): boolean => root.kind === "live" && treeOf(root) !== undefined;

const namedOf = ({ name, part, asks }: Question, path: string): Named => {
  const from = `${path} ${asks.join(", ")}`;
  return part === undefined ? { name, from } : { name, part, from };
};

const unanswered = ({ name, part, from }: Named): Metric =>
  unknown(name, part, from, "absent", `the device did not answer; it is asked again after ${REST_MS / 1000} s`);

/** Lets only those questions through that a metric needs. */
function only(say: Say, wanted: ReadonlySet<string>, path: string): Say {
  return (ask) =>
    wanted.has(ask.name.slice(ask.name.lastIndexOf(" ") + 1))
      ? say(ask)
      : uncaptured(`${path} ${ask.name}`, "not asked");
}

function numberOf(answers: Answers, name: string): Reading<number> {
  const reading = answers[name];
  if (reading === undefined) return absent(name, "the driver does not tell it");
  if (reading.state !== "read") return reading;
  return typeof reading.value === "number" ? { ...reading, value: reading.value } : absent(name);
}
