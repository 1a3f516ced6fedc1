/** The heads, in the order in which they are tried: what names or operators tell before what shapes tell. */

import type { Head } from "./head.ts";
import nmsOutputs from "./nms-outputs.ts";
import yunet from "./yunet.ts";
import detr from "./detr.ts";
import movenet from "./movenet.ts";
import mediapipe from "./mediapipe.ts";
import ultraface from "./ultraface.ts";
import retinaface from "./retinaface.ts";
import scrfd from "./scrfd.ts";
import yolov5 from "./yolov5.ts";
import yolov8 from "./yolov8.ts";
import yolox from "./yolox.ts";
import yoloMaps from "./yolo-maps.ts";
import nmsRows from "./nms-rows.ts";
import dbText from "./db-text.ts";
import landmarks from "./landmarks.ts";
import segmentation from "./segmentation.ts";

export const heads: readonly Head[] = [
  nmsOutputs,
  yunet,
  detr,
  movenet,
  mediapipe,
  ultraface,
  retinaface,
  scrfd,
  yolov5,
  yolov8,
  yolox,
  yoloMaps,
  nmsRows,
  dbText,
  landmarks,
  segmentation,
];
