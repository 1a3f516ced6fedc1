/**
 * Timeline: when chips were shown, when the kernel took drivers in, and what was removed or given up. What the families say of a
 * driver (`since`, `until`) is not repeated here: src/export/atlas.ts adds it. An event without a source is left out.
 */

import type { Source } from "../base/source.ts";

/** "ended" is one chip, package or product; "removed" a whole driver that left mainline. */
export type EventKind = "chip" | "driver" | "framework" | "removed" | "ended";

interface AnyEvent {
  readonly kind: EventKind;
  readonly what: string;
  /** Catalogue id; absent when it concerns all of them. */
  readonly family?: string;
  readonly source: Source;
}

/** What came with a mainline release has that release's day. */
export interface ReleaseEvent extends AnyEvent {
  readonly release: string;
}

/** YYYY, YYYY-MM or YYYY-MM-DD: as exact as the source is. */
export interface DatedEvent extends AnyEvent {
  readonly date: string;
}

export type TimelineEvent = ReleaseEvent | DatedEvent;

const cited = (url: string, says?: string): Source =>
  says === undefined ? { cited: url, seen: "2026-11-25" } : { cited: url, says, seen: "2026-11-25" };

/** Days of the mainline releases below. */
export const releaseSource: Source = cited(
  "https://github.com/endoflife-date/release-data/blob/f626bdef8bf9d1503707c05034905184c3a795d6/releases/linux-kernel.json",
  "releases/linux-kernel.json of 2026-08-22",
);

/** Mainline releases from the first accelerator driver on. 7.3 came after the list was seen. */
export const kernelReleases: Readonly<Record<string, string>> = {
  "3.13": "2014-01-20",
  "4.17": "2018-06-03",
  "4.18": "2018-08-12",
  "4.19": "2018-10-22",
  "4.20": "2018-12-23",
  "5.0": "2019-03-03",
  "5.1": "2019-05-06",
  "5.2": "2019-07-07",
  "5.3": "2019-09-15",
  "5.4": "2019-11-25",
  "5.5": "2020-01-27",
  "5.6": "2020-03-29",
  "5.7": "2020-05-31",
  "5.8": "2020-08-02",
  "5.9": "2020-10-11",
  "5.10": "2020-12-13",
  "5.11": "2021-02-14",
  "5.12": "2021-04-25",
  "5.13": "2021-06-27",
  "5.14": "2021-08-29",
  "5.15": "2021-10-31",
  "5.16": "2022-01-09",
  "5.17": "2022-03-20",
  "5.18": "2022-05-22",
  "5.19": "2022-07-31",
  "6.0": "2022-10-02",
  "6.1": "2022-12-11",
  "6.2": "2023-02-19",
  "6.3": "2023-04-23",
  "6.4": "2023-06-25",
  "6.5": "2023-08-27",
  "6.6": "2023-10-30",
  "6.7": "2024-01-07",
  "6.8": "2024-03-10",
  "6.9": "2024-05-12",
  "6.10": "2024-07-14",
  "6.11": "2024-09-15",
  "6.12": "2024-11-17",
  "6.13": "2025-01-19",
  "6.14": "2025-03-24",
  "6.15": "2025-05-25",
  "6.16": "2025-07-27",
  "6.17": "2025-09-28",
  "6.18": "2025-11-30",
  "6.19": "2026-02-08",
  "7.0": "2026-04-12",
  "7.1": "2026-06-14",
  "7.2": "2026-08-16",
};

const ttKmd = (commit: string, says: string): Source =>
  cited(`https://github.com/tenstorrent/tt-kmd/commit/${commit}`, says);
const tpuWiki = cited("https://aiwiki.ai/wiki/google_tpu_v5p", "v5e in August 2023, v5p on December 6, 2023");
const io = cited(
  "https://en.mashdigi.com/google%E6%8F%AD%E6%9B%89%E7%AC%AC%E4%B8%89%E4%BB%A3tpu-%E5%8A%A0%E5%85%A5%E6%B0%B4%E5%86%B7%E3%80%81%E5%B0%8D%E6%87%89%E9%AB%98%E9%81%94100pflops%E9%81%8B%E7%AE%97%E9%87%8F/",
  "second generation at Google I/O 2017, third at Google I/O 2018",
);
const inferentia = cited("https://aiwiki.ai/wiki/aws_inferentia");
const mic = cited("https://www.phoronix.com/news/Linux-Dropping-Intel-MIC");

export const timeline: readonly TimelineEvent[] = [
  // Google's TPUs of the data centre
  {
    kind: "chip",
    family: "cloud-tpu",
    date: "2015",
    what: "TPU v1 in Google's data centres, for inference only",
    source: cited(
      "https://research.google/pubs/in-datacenter-performance-analysis-of-a-tensor-processing-unit",
      "deployed in datacenters since 2015",
    ),
  },
  { kind: "chip", family: "cloud-tpu", date: "2017", what: "TPU v2 announced, the first that trains", source: io },
  { kind: "chip", family: "cloud-tpu", date: "2018", what: "TPU v3 announced, water-cooled", source: io },
  {
    kind: "chip",
    family: "cloud-tpu",
    date: "2021-05-18",
    what: "TPU v4 announced",
    source: cited("https://9to5google.com/2021/05/18/google-unveils-4th-generation-tensor-processing-unit/"),
  },
  { kind: "chip", family: "cloud-tpu", date: "2023-08", what: "TPU v5e announced", source: tpuWiki },
  { kind: "chip", family: "cloud-tpu", date: "2023-12-06", what: "TPU v5p announced", source: tpuWiki },
  {
    kind: "chip",
    family: "cloud-tpu",
    date: "2024-05-14",
    what: "TPU v6e (Trillium) announced",
    source: cited("https://cloud.google.com/blog/products/compute/introducing-trillium-6th-gen-tpus"),
  },
  {
    kind: "chip",
    family: "cloud-tpu",
    date: "2025-04-09",
    what: "TPU v7x (Ironwood) announced",
    source: cited("https://www.newsdirectory3.com/google-cloud-tpu-inference-boost/"),
  },
  // Coral
  {
    kind: "driver",
    family: "coral",
    release: "4.19",
    what: "gasket and apex enter mainline's staging",
    source: cited("https://www.phoronix.com/news/Linux-4.19-Bringing-Gasket-Apex"),
  },
  {
    kind: "removed",
    family: "coral",
    release: "5.13",
    what: "gasket and apex leave mainline; Google's copy goes on outside",
    source: cited("https://git.kernel.org/torvalds/c/918ce05bbe52", "staging: gasket: remove it from the kernel"),
  },
  {
    kind: "ended",
    family: "coral",
    date: "2024-04-25",
    what: "last commit to Google's gasket driver",
    source: cited("https://github.com/google/gasket-driver", "@5815ee39"),
  },
  // Tenstorrent, as its kernel driver met them
  {
    kind: "driver",
    family: "tenstorrent",
    date: "2020-12-16",
    what: "tt-kmd begins, for Grayskull",
    source: ttKmd("bd01db3", "Import kernel driver"),
  },
  {
    kind: "chip",
    family: "tenstorrent",
    date: "2021-02-04",
    what: "Wormhole in tt-kmd",
    source: ttKmd("c54b4c3", "Wormhole kernel driver support"),
  },
  {
    kind: "chip",
    family: "tenstorrent",
    date: "2023-12-06",
    what: "Blackhole in tt-kmd",
    source: ttKmd("fd11942", "Minimal Black Hole support"),
  },
  {
    kind: "chip",
    family: "tenstorrent",
    date: "2025-04",
    what: "Blackhole cards p100a and p150a on sale",
    source: cited(
      "https://www.hardwareluxx.de/index.php/news/hardware/grafikkarten/65873-tenstorrent-dev-day-blackhole-mit-neuen-riscv-kernen-k%C3%B6nnen-bestellt-werden.html",
    ),
  },
  {
    kind: "ended",
    family: "tenstorrent",
    date: "2025-07-15",
    what: "tt-kmd drops Grayskull (from 2.2.0 on)",
    source: ttKmd("a99fdc3027d7907d3f53f246a6d615e9a518006d", "Deprecate Grayskull"),
  },
  // Habana, Intel Gaudi
  {
    kind: "chip",
    family: "intel-gaudi",
    date: "2018-09",
    what: "Goya and Gaudi announced",
    source: cited("https://www.gazettabyte.com/home/2018/11/15/habana-labs-unveils-its-ai-processor-plans.html"),
  },
  {
    kind: "driver",
    family: "intel-gaudi",
    release: "6.0",
    what: "habanalabs runs Gaudi 2",
    source: cited("https://www.phoronix.com/news/Linux-6.0-Char-Misc"),
  },
  {
    kind: "driver",
    family: "intel-gaudi",
    release: "6.3",
    what: "habanalabs moves from drivers/misc to drivers/accel",
    source: cited("https://www.phoronix.com/news/Habana-Labs-Accel-Linux-6.3"),
  },
  {
    kind: "ended",
    family: "intel-gaudi",
    date: "2023",
    what: "Greco given up, its code dropped from habanalabs",
    source: cited(
      "https://avalanchenoticias.com.br/mercado-de-tecnologia-e-ti-noticia/intel-abandonou-aceleradores-habana-greco-ai",
    ),
  },
  {
    kind: "chip",
    family: "intel-gaudi",
    date: "2024-04-09",
    what: "Gaudi 3 announced",
    source: cited(
      "https://rapidtidings.com/business/tech/1003-intel-unveils-enterprise-focused-gaudi-ai-processor.html",
    ),
  },
  // Intel: Xeon Phi, Movidius, NPU
  { kind: "driver", family: "xeon-phi", date: "2013", what: "Intel's MIC drivers enter mainline", source: mic },
  { kind: "removed", family: "xeon-phi", release: "5.10", what: "Intel's MIC drivers leave mainline", source: mic },
  {
    kind: "chip",
    family: "movidius",
    date: "2017-07",
    what: "Movidius Neural Compute Stick",
    source: cited("https://www.theregister.com/2017/07/20/intel_neural_network_stick/"),
  },
  {
    kind: "chip",
    family: "movidius",
    date: "2018-11",
    what: "Neural Compute Stick 2 (Myriad X)",
    source: cited(
      "https://www.hwsw.hu/hirek/59632/intel-neural-compute-stick-2-ncs-2-usb-stick-gyorsito-ml-ai-gepi-tanulas.html",
    ),
  },
  {
    kind: "ended",
    family: "movidius",
    date: "2023",
    what: "OpenVINO 2023.0 drops Myriad; 2022.3 is the last that runs it",
    source: cited(
      "https://docs.openvino.ai/2023.3/openvino_docs_OV_UG_supported_plugins_Supported_Devices.html",
      "With OpenVINO 2023.0 release, support has been cancelled",
    ),
  },
  {
    kind: "chip",
    family: "intel-npu",
    date: "2023-12-14",
    what: "Core Ultra (Meteor Lake), Intel's first processor with an NPU",
    source: cited(
      "https://www.gadgets360.com/laptops/news/intel-core-ultra-14th-gen-meteor-lake-launch-december-14-7nm-process-specifications-design-4406026",
    ),
  },
  {
    kind: "driver",
    family: "intel-npu",
    release: "7.2",
    what: "ivpu tells clocks under freq/; the older names are obsolete",
    source: { kernel: "Documentation/ABI/testing/sysfs-driver-ivpu", release: "7.3.4" },
  },
  // AMD
  {
    kind: "ended",
    family: "amd-xdna",
    release: "7.0",
    what: "amdxdna drops NPU2, which was never sold",
    source: cited("https://www.c114pro.com/chipnews/134887.html"),
  },
  // Kernel
  {
    kind: "framework",
    release: "6.2",
    what: "DRM_ACCEL: the kernel's framework for accelerators, /dev/accel/*",
    source: cited("https://www.phoronix.com/news/Habana-Labs-Accel-Linux-6.3", "merged in Linux 6.2"),
  },
  // Arm
  {
    kind: "chip",
    family: "ethos-u",
    date: "2020-10-19",
    what: "Ethos-U65 announced",
    source: cited("https://nxp.com.cn/company/about-nxp/smarter-world-blog/BL-ARM-ETHOS-U65-MICRONPU"),
  },
  {
    kind: "chip",
    family: "ethos-u",
    date: "2024",
    what: "Ethos-U85 announced",
    source: cited("https://xpu.pub/?p=565"),
  },
  // Rockchip
  {
    kind: "driver",
    family: "rockchip",
    date: "2025-07",
    what: "rocket accepted for the kernel, its Teflon driver in Mesa",
    source: cited("https://blog.tomeuvizoso.net/2025/07/rockchip-npu-update-6-we-are-in-mainline.html"),
  },
  // Apple
  {
    kind: "ended",
    family: "apple-ane",
    date: "2023-11-12",
    what: "last commit to the ane driver; it never entered mainline",
    source: cited("https://github.com/eiln/ane", "@0dcea997"),
  },
  // Qualcomm
  {
    kind: "chip",
    family: "qaic",
    date: "2019",
    what: "Cloud AI 100 announced",
    source: cited("https://www.phoronix.com/news/Qualcomm-QAIC-Cloud-Accelerator"),
  },
  // AWS
  { kind: "chip", family: "aws-neuron", date: "2018-11", what: "Inferentia announced", source: inferentia },
  { kind: "chip", family: "aws-neuron", date: "2019-12", what: "Inferentia for all (EC2 Inf1)", source: inferentia },
  {
    kind: "chip",
    family: "aws-neuron",
    date: "2020",
    what: "Trainium announced",
    source: cited("https://cloudoptimo.com/blog/amazons-custom-ml-accelerators-aws-trainium-and-inferentia"),
  },
  { kind: "chip", family: "aws-neuron", date: "2023-04", what: "Inferentia2 for all (EC2 Inf2)", source: inferentia },
  // Esperanto
  {
    kind: "chip",
    family: "et-soc1",
    date: "2021-08-24",
    what: "ET-SoC-1 shown at Hot Chips, first silicon back",
    source: cited("https://cambrian-ai.com/esperanto-launches-ai-accelerator-with-over-1000-risc-v-cores/"),
  },
  {
    kind: "driver",
    family: "et-soc1",
    date: "2025-10-31",
    what: "driver and software of ET-SoC-1 in public (et-platform)",
    source: cited("https://github.com/aifoundry-org/et-platform", "@f5e79040"),
  },
];
