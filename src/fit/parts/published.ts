/** Where parameters and operations are published. Operations of these tables count two for each MAC. */

import type { Published } from "../known.ts";

const figures = (source: string, gops?: number, millions?: number): Published => ({
  ...(millions === undefined ? {} : { parameters: Math.round(millions * 1e6) }),
  ...(gops === undefined ? {} : { macs: Math.round((gops * 1e9) / 2) }),
  source,
});

/** Hailo Model Zoo's table of a task: operations in G, parameters in M. */
export const hailo = (task: string, gops: number, millions: number): Published =>
  figures(
    `github.com/hailo-ai/hailo_model_zoo@c83fc03 docs/public_models/HAILO10H/HAILO10H_${task}.rst`,
    gops,
    millions,
  );

/** RDK Model Zoo's table of Ultralytics' models. */
export const rdk = (gops: number, millions: number): Published =>
  figures("github.com/D-Robotics/rdk_model_zoo@be4f89b samples/vision/ultralytics_yolo/README.md", gops, millions);

/** Tables in the package's description: of YOLOv8 in 8.2.92, of YOLO11 in 8.3.40. */
export const ultralytics = (version: "8.2.92" | "8.3.40", gops: number | undefined, millions: number): Published =>
  figures(`pypi.org/project/ultralytics/${version}`, gops, millions);

/** The description of a model of Qualcomm AI Hub: parameters in M. */
export const aiHub = (model: string, millions: number): Published =>
  figures(`github.com/quic/ai-hub-models qai_hub_models/models/${model}/info.yaml`, undefined, millions);

/** The table of detectors that YOLOv13 is compared with: operations in G, parameters in M. */
export const yolov13 = (gops: number, millions: number): Published =>
  figures("github.com/iMoonLab/yolov13@80e8223 README.md", gops, millions);

/** What stands beside the architecture itself. */
export const own = (source: string, gops: number | undefined, millions: number | undefined): Published =>
  figures(source, gops, millions);

/** The same, and how far off it may be, and why. */
export const within = (published: Published, share: number, because: string): Published => ({
  ...published,
  within: { share, because },
});
