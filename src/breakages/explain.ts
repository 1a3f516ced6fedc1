/**
 * Explains a text without a machine: exact wordings first (match.ts), and where a person typed a symptom in own words, the
 * breakages whose `mentions` all occur in it, ranked by how telling the words are.
 */

import type { LogLine } from "../facts/klog.ts";
import { parseKernelLog } from "../facts/klog.ts";
import type { Breakage } from "./breakage.ts";
import { breakages } from "./index.ts";
import { matchLines, type LogMatch } from "./match.ts";

export interface Explanation {
  readonly breakage: Breakage;
  /** "signature": a line says it word for word; "mention": the words of a description fit. */
  readonly how: "signature" | "mention";
  /** Higher is surer; only to be compared within one answer. */
  readonly score: number;
  /** Where the text says it, for signatures: one entry for each device. */
  readonly matches: readonly LogMatch[];
}

/** What a person types is short; anything longer is a log, in which only signatures count. */
const TYPED_LIMIT = 600;
const TYPED_LINES = 6;
/** A description names what fails, not a page of guesses. */
const MOST_MENTIONS = 3;

/** Best first. Empty when nothing in the text is known. */
export function explainText(text: string): Explanation[] {
  const lines = parseKernelLog(text);
  const typed = text.length <= TYPED_LIMIT && lines.length <= TYPED_LINES;
  let matches = matchLines(lines);
  // A terminal or an issue form may have wrapped one message into several lines.
  if (matches.length === 0 && typed) matches = matchLines([joined(lines)]);
  const found = bySignature(matches, typed);
  if (!typed) return found;
  return found.length > 0 || isOutput(text) ? found : byMention(text).slice(0, MOST_MENTIONS);
}

/** Lines of lspci, lsusb, ls -l or a stamped log are no description of a symptom. */
const output =
  /^\s*(\[ *\d+\.\d+\]|([0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] |Bus \d{3} Device \d{3}|[bcdl-][rwxsStT-]{9})/im;
const isOutput = (text: string): boolean => output.test(text);

const joined = (lines: readonly LogLine[]): LogLine => ({
  seconds: undefined,
  text: lines.map((line) => line.text.trim()).join(" "),
  number: 1,
});

const severity = { error: 0, warning: 1, note: 2 };

function bySignature(matches: readonly LogMatch[], typed: boolean): Explanation[] {
  const grouped = new Map<Breakage, LogMatch[]>();
  for (const match of matches) grouped.set(match.breakage, [...(grouped.get(match.breakage) ?? []), match]);
  const all = [...grouped].map(([breakage, own]): Explanation => ({
    breakage,
    how: "signature",
    score: 1000 + Math.max(...own.map((m) => m.length)),
    matches: own,
  }));
  const firstLine = (e: Explanation): number => Math.min(...e.matches.map((m) => m.line));
  return all.sort(
    (a, b) =>
      severity[a.breakage.severity] - severity[b.breakage.severity] ||
      (typed ? b.score - a.score : 0) ||
      firstLine(a) - firstLine(b) ||
      b.score - a.score,
  );
}

interface Words {
  readonly breakage: Breakage;
  /** Of one mention: each a list of words of which one must occur. */
  readonly groups: readonly (readonly string[])[];
}

let table: readonly Words[] | undefined;

function words(): readonly Words[] {
  return (table ??= breakages.flatMap((breakage) =>
    breakage.mentions.map((mention) => ({
      breakage,
      groups: mention
        .toLowerCase()
        .split(" ")
        .map((group) => group.split("|")),
    })),
  ));
}

/** Words that say little by themselves: they count a quarter. */
const weak = new Set(
  "no not missing without fail failed cannot find found device driver version firmware model npu tpu gpu file error load old newer older container docker permission denied open process not".split(
    " ",
  ),
);

function byMention(text: string): Explanation[] {
  const spoken = ` ${text
    .toLowerCase()
    .replace(/https?:\/\/\S+/g, " ")
    .replace(/\s+/g, " ")} `;
  const families = familiesNamed(spoken);
  const best = new Map<Breakage, number>();
  for (const { breakage, groups } of words()) {
    let score = 0;
    for (const group of groups) {
      const word = group.find((w) => hasWord(spoken, w));
      if (word === undefined) {
        score = 0;
        break;
      }
      score += weak.has(word) ? 1 : 3 + Math.min(word.length, 12) / 4;
    }
    if (score === 0) continue;
    // A text that names another family is not about this one.
    if (families.size > 0 && breakage.family !== "any") score = families.has(breakage.family) ? score + 4 : 0;
    if (score > (best.get(breakage) ?? 0)) best.set(breakage, score);
  }
  return [...best]
    .filter(([, score]) => score > 0)
    .map(([breakage, score]): Explanation => ({ breakage, how: "mention", score, matches: [] }))
    .sort((a, b) => b.score - a.score);
}

const wordCharacter = /[a-z0-9]/;

/** `word` occurs and begins a word; up to three letters it must be the whole word ("no" is not in "node"). */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const begins = !wordCharacter.test(word.charAt(0)) || !wordCharacter.test(text.charAt(at - 1));
    const ends = word.length > 3 || !wordCharacter.test(text.charAt(at + word.length));
    if (begins && ends) return true;
  }
  return false;
}

/** How people name each family. */
const familyWords: readonly (readonly [family: string, words: string])[] = [
  ["coral", "coral edgetpu libedgetpu apex /dev/apex gasket gasket-dkms pycoral 1ac1:089a 1a6e:089a 18d1:9302"],
  ["cloud-tpu", "libtpu jax cloud-tpu torch_xla 1ae0"],
  ["tenstorrent", "tenstorrent tt-metal tt-smi tt-kmd tt-umd umd ttnn wormhole blackhole grayskull 1e52"],
  ["rockchip", "rknn librknnrt rknnlite rknpu rkllm rocket rk3588 rk3588s rk3576 rk3568 rk3566"],
  ["hailo", "hailo hailo8 hailo8l hailort libhailort hailortcli hailo-8 hailo-8l hailo-10h 1e60"],
  ["intel-npu", "intel_vpu ivpu openvino level-zero ze_result libze_intel_npu 8086:7d1d 8086:643e"],
  ["intel-gaudi", "gaudi habana habanalabs synapseai synstatus goya hl-smi"],
  ["amd-xdna", "amdxdna xdna xrt xrt-smi ryzen fastflowlm flm lemonade aie2"],
  ["amd-rocm", "rocm rocminfo kfd /dev/kfd amdgpu hip"],
  ["nvidia", "nvidia nvidia-smi nvml nvrm tensorrt cuda trtexec nouveau"],
  ["qualcomm", "fastrpc qnn hexagon cdsp adsp snpe qairt cdsprpcd remoteproc"],
  ["qaic", "qaic aic100 cloud-ai qaic_aic100"],
  ["verisilicon", "galcore tim-vx timvx vivante etnaviv libgal vxcreatecontext openvx libovxkernels"],
  ["apple-ane", "ane eiln asahi"],
  ["aws-neuron", "neuron neuronx inferentia trainium neff libnrt"],
  ["ascend", "ascend cann npu-smi dcmi davinci"],
  ["sophgo", "sophgo sophon bmodel libsophon bmrt bm1684 bm1684x bm-smi"],
  ["axera", "axcl axcl-smi axera ax650 ax8850"],
  ["et-soc1", "et-platform et-soc1 et-soc-1 ainekko esperanto"],
  ["memryx", "memryx memx mx3"],
  ["ethos-u", "ethos-u ethosu ethos-u65 ethos-u85 vela"],
  ["ethos-n", "ethosn ethos-n /dev/ethosn"],
  ["intel-gpu", "i915 guc arc dg2"],
];

function familiesNamed(text: string): ReadonlySet<string> {
  return new Set(
    familyWords.filter(([, list]) => list.split(" ").some((w) => hasWord(text, w))).map(([family]) => family),
  );
}
