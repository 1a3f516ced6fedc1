/**
 * Architecture by name: which family a benchmark's model is of, which rows are one model under several names, and what its layers are
 * like where only its name and its published figures are known. What a graph tells always goes before this.
 */

/** Compared without case, blanks and signs: "YOLOv8n-Seg" and "yolov8n_seg" are one. */
export const plainName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "");

/** What layers are like, coarsely: each from 0 to 1, and how many layers with weights lie behind each other. */
export interface Character {
  /** Share of the work that attends or multiplies tokens. */
  readonly attention: number;
  /** Depthwise layers: 1 where every second layer is one. */
  readonly depthwise: number;
  readonly depth: number;
}

/** Same model in other words: its inputs, its dataset or what stands behind its last layer differ, its layers do not. */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/(bboxdecodingonly|wospp|postprocess|nopostprocess|fp16|int8|quantized|uint8|w8a8|w8a16|float)$/, ""],
  [/yolov?11/, "yolo11"],
  [/yolov?12/, "yolo12"],
  [/^(yolov5[nsmlx])u$/, "$1"],
  [/^yolov3(gluon)?(416|608)?$/, "yolov3"],
  [/^tinyyolo(v\d)$/, "yolo$1tiny"],
  [/^deit(base|small|tiny)/, "vit$1"],
  [/laion2b/, ""],
  [/siglip2/, "siglip"],
  [/^(face|person)attrresnetv?1?18$/, "resnet18"],
  [/^(yolov5[nsmlx])v[1-7]$/, "$1"],
  [/^resnetv?[12]?(18|34|50|101|152)(v[12])?\d?.*$/, "resnet$1"],
  [/^mobilenetv(\d)(10)?(224)?(\d{3}x\d{3})?$/, "mobilenetv$1"],
  [/^(googlenet|inceptionv1|inceptionv1224x224)$/, "inceptionv1"],
  [/^(inceptionv[34]|inceptionresnetv2|squeezenet|densenet|vgg\d\d)\d{3}(x\d{3})?$/, "$1"],
  [/^(mobilenetv2ssd|ssdmobilenetv2|ssdlitemobilenetv2|mobilenetssdv2).*/, "ssdmobilenetv2"],
  [/^(mobilenetv1ssd|ssdmobilenetv1|mobilenetssd).*/, "ssdmobilenetv1"],
  [/^(yolonas)?(yolov?\d+)?([a-z]*?)(320|416|512|640)$/, "$1$2$3"],
  [/^clipimages$/, "clipvitb32imageencoder"],
];

/** The model a row is of, whatever it is called: what is left out together when errors are told. */
export function modelOf(name: string): string {
  let plain = plainName(name);
  for (const [pattern, to] of spellings) plain = plain.replace(pattern, to);
  return plain;
}

/**
 * Family by name, the first that fits. What detects or segments goes by its head and not by the backbone that its name also has, what
 * classifies or embeds by the backbone; of a
 * name within a name ("mobileViT" has "levit" in it, "nanoDETRepvgg" "detr") the longer one goes first.
 */
const families: readonly (readonly [RegExp, string])[] = [
  [/textencoder|cliptext|bert|electra|albert/, "text encoder"],
  [/clipresnet.*imageencoder/, "resnet"],
  [/imageencoder|clipvitb32|clipimage/, "vit"],
  [/mobilenetv?\d?yolo/, "mobilenet yolo"],
  [/yolov?(3|4)tiny|tinyyolo/, "yolo tiny"],
  [/yolofastest|fastestdet/, "yolo fastest"],
  [/yolonas/, "yolonas"],
  [/yolov?10/, "yolov10"],
  [/yolov?11/, "yolo11"],
  [/yolov?12/, "yolo12"],
  [/yolov?13/, "yolo13"],
  [/yolov?(\d)/, "yolov$1"],
  [/yolox/, "yolox"],
  [/yolor/, "yolov7"],
  [/damoyolo/, "damoyolo"],
  [/fastsam/, "yolov8"],
  [/nanodet/, "nanodet"],
  [/ssd/, "ssd"],
  [/retinaface/, "retinaface"],
  [/deeplab/, "deeplab"],
  [/unet/, "unet"],
  [/linknet/, "linknet"],
  [/centernet/, "centernet"],
  [/centerpose/, "centerpose"],
  [/yolact/, "yolact"],
  [/petr/, "petr"],
  [/posenet/, "posenet"],
  [/hrnet/, "hrnet"],
  [/segformer/, "segformer"],
  [/swin/, "swin"],
  [/detr/, "detr"],
  [/fastvit/, "fastvit"],
  [/efficientvit/, "efficientvit"],
  [/mobilevit/, "mobilevit"],
  [/nextvit/, "nextvit"],
  [/repvit/, "repvit"],
  [/casvit/, "casvit"],
  [/deit|^vit|vitpose|depthanything|beit|vit[blst]$|visiontransformer|videomae/, "vit"],
  [/efficientdet/, "efficientdet"],
  [/efficientformer/, "efficientformer"],
  [/efficientnetlite/, "efficientnet lite"],
  [/efficientnet(edgetpu)?[lms]$/, "efficientnet edgetpu"],
  [/efficientnetv2/, "efficientnet v2"],
  [/efficientnet/, "efficientnet"],
  [/levit/, "levit"],
  [/mobileone/, "mobileone"],
  [/repvgg/, "repvgg"],
  [/repghost|ghostnet/, "ghostnet"],
  [/regnet|mspn/, "regnet"],
  [/inceptionresnet/, "inception"],
  [/mobilenet|mobilefacenet|mnasnet|proxyless/, "mobilenet"],
  [/resnet(2plus1d|3d)|r3d18/, "resnet 3d"],
  [/resnet|resnext|arcfacer50/, "resnet"],
  [/scrfd/, "scrfd"],
  [/espcn/, "espcn"],
  [/quicksrnet/, "quicksrnet"],
  [/esrgan/, "esrgan"],
  [/zerodce/, "zerodce"],
  [/hardnet/, "hardnet"],
  [/convnext/, "convnext"],
  [/edgenext/, "edgenext"],
  [/fasternet/, "fasternet"],
  [/paddleocr|ppocr/, "ppocr"],
  [/inception|googlenet/, "inception"],
  [/vgg/, "vgg"],
  [/squeezenet/, "squeezenet"],
  [/shufflenet/, "shufflenet"],
  [/densenet/, "densenet"],
  [/whisper/, "whisper"],
];

/** Family of a model by its name; undefined: of none that is known. */
export function familyOf(name: string): string | undefined {
  const plain = plainName(name);
  for (const [pattern, family] of families) {
    const found = pattern.exec(plain);
    if (found) return family.replace("$1", found[1] ?? "");
  }
  return undefined;
}

/** [pattern, attention, depthwise, depth]: of the papers, rounded; the first that fits. */
const characters: readonly (readonly [RegExp, number, number, number])[] = [
  [/textencoder|cliptext/, 1, 0, 100],
  [/efficientvit/, 0.6, 0.5, 70],
  [/vitl|siglipl|siglip2l/, 1, 0, 170],
  [/clipresnet50x?4?image/, 0.2, 0, 100],
  [/imageencoder|clipimage/, 1, 0, 90],
  [/swin(small|base)/, 1, 0, 190],
  [/swin/, 1, 0, 110],
  [/mobilesamdecoder/, 1, 0, 40],
  [/mobilesam/, 0.7, 0.3, 70],
  [/litetransformer/, 0.8, 0.3, 40],
  [/deit|^vit|vitpose|depthanything|beit/, 1, 0, 90],
  [/casvit/, 0.6, 0.5, 70],
  [/mobilevit/, 0.5, 0.4, 90],
  [/levit/, 0.8, 0, 70],
  [/nextvit/, 0.6, 0.2, 90],
  [/poolformer/, 0.3, 0, 50],
  [/fastvit/, 0.2, 0.7, 60],
  [/resmlp/, 0.5, 0, 40],
  [/efficientformerv2/, 0.5, 0.7, 90],
  [/efficientformer/, 0.4, 0.1, 60],
  [/edgenext/, 0.5, 0.6, 70],
  [/convnext/, 0.1, 0.5, 50],
  [/segformer/, 0.8, 0.3, 80],
  [/nanodet/, 0, 0, 35],
  [/detr/, 0.6, 0, 80],
  [/petr/, 0.9, 0, 60],
  [/c3tr/, 0.2, 0, 70],
  [/yolov?10x/, 0.1, 0.3, 170],
  [/yolov?10[bl]/, 0.1, 0.3, 140],
  [/yolov?10m/, 0.1, 0.3, 110],
  [/yolov?10/, 0.1, 0.3, 90],
  [/yolov?11[lx]/, 0.1, 0.15, 180],
  [/yolov?11m/, 0.1, 0.15, 130],
  [/yolov?11/, 0.1, 0.15, 90],
  [/yolov?12[lx]/, 0.5, 0.15, 250],
  [/yolov?12/, 0.5, 0.15, 150],
  [/yolov?13/, 0.5, 0.5, 180],
  [/yolov9e/, 0, 0, 250],
  [/yolov9[cm]/, 0, 0, 150],
  [/yolov9/, 0, 0, 180],
  [/yolov8[lx]/, 0, 0, 105],
  [/yolov8m/, 0, 0, 85],
  [/yolov8|fastsam/, 0, 0, 65],
  [/yolov5[lx]/, 0, 0, 125],
  [/yolov5m/, 0, 0, 85],
  [/yolov5/, 0, 0, 62],
  [/yolov6[ml]/, 0, 0, 80],
  [/yolov6/, 0, 0, 60],
  [/yolox[ml]/, 0, 0, 95],
  [/yolox/, 0, 0, 75],
  [/tinyyolo|yolov\dtiny/, 0, 0, 18],
  [/yolov3|yolov4/, 0, 0, 75],
  [/damoyolotinynasl20/, 0, 0, 70],
  [/damoyolo/, 0, 0, 100],
  [/yolact/, 0, 0, 85],
  [/efficientnetlite[01]/, 0, 0.8, 50],
  [/efficientnetlite/, 0, 0.8, 65],
  [/efficientdet/, 0, 0.8, 180],
  [/efficientnet(edgetpu)?[lms]$/, 0, 0.4, 60],
  [/efficientnetb/, 0.1, 0.8, 100],
  [/ssdmobilenetv1|mobilenetv1ssd/, 0, 0.8, 45],
  [/ssdmobilenetv2|mobilenetv2ssd/, 0, 0.8, 75],
  [/mobilenetv1|mbv1|linknet/, 0, 0.8, 28],
  [/deeplab/, 0, 0.8, 60],
  [/mobilenetv[234]|unetm/, 0, 0.8, 55],
  [/mobileone/, 0, 0.9, 45],
  [/ghostnet/, 0.1, 0.9, 90],
  [/repvit/, 0.1, 0.7, 90],
  [/fasternet/, 0, 0, 40],
  [/vargconv/, 0, 0.4, 50],
  [/hardnet39ds/, 0, 0.5, 40],
  [/hardnet/, 0, 0, 70],
  [/centerpose/, 0, 0.2, 60],
  [/regnet|mspn/, 0, 0.3, 50],
  [/repvgg/, 0, 0, 25],
  [/resnext/, 0, 0.2, 53],
  [/resnet.*18|r3d/, 0, 0, 21],
  [/resnet.*50|r50|centernet/, 0, 0, 55],
  [/squeezenet/, 0, 0, 26],
  [/scdepth/, 0, 0, 35],
  [/lightface|handlandmark|facelandmark/, 0, 0.8, 35],
  [/retinafacemob/, 0, 0.6, 55],
  [/scrfd/, 0, 0.2, 70],
  [/mobilefacenet/, 0, 0.8, 50],
  [/lprnet/, 0, 0, 20],
  [/dncnn/, 0, 0, 20],
  [/zerodcepp/, 0, 0.9, 15],
  [/zerodce/, 0, 0, 8],
  [/espcn/, 0, 0, 4],
  [/esrgan/, 0, 0, 350],
  [/paddleocr|ppocr/, 0.3, 0.7, 75],
  [/googlenet|inceptionv1/, 0, 0, 58],
];

/** What the layers of a model of that name are like; undefined: the name says nothing. */
export function characterOf(name: string): Character | undefined {
  const plain = plainName(name);
  for (const [pattern, attention, depthwise, depth] of characters)
    if (pattern.test(plain)) return { attention, depthwise, depth };
  return undefined;
}
