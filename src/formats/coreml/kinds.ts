/** Kinds of Core ML models by their field of Model, and the systems that read each version of the specification. Model.proto */

export interface Kind {
  readonly name: string;
  readonly layout: "program" | "network" | "pipeline" | "wrapped" | "trees" | "custom" | "other";
  /** Shared operator of what is one operator. */
  readonly op?: string;
  /** Nothing of what it computes can be seen. */
  readonly sealed?: true;
  readonly unseen?: string;
}

const features = (name: string, op?: string): Kind => ({ name, layout: "other", ...(op === undefined ? {} : { op }) });
const system = (name: string): Kind => ({
  name,
  layout: "other",
  sealed: true,
  unseen: `${name}: part of the operating system, only its settings are in the file`,
});

const kinds: Readonly<Record<number, Kind>> = {
  200: { name: "pipelineClassifier", layout: "wrapped" },
  201: { name: "pipelineRegressor", layout: "wrapped" },
  202: { name: "pipeline", layout: "pipeline" },
  300: features("glmRegressor", "LinearModel"),
  301: features("supportVectorRegressor", "SVM"),
  302: { name: "treeEnsembleRegressor", layout: "trees", op: "TreeEnsemble" },
  303: { name: "neuralNetworkRegressor", layout: "network" },
  304: features("bayesianProbitRegressor", "LinearModel"),
  400: features("glmClassifier", "LinearModel"),
  401: features("supportVectorClassifier", "SVM"),
  402: { name: "treeEnsembleClassifier", layout: "trees", op: "TreeEnsemble" },
  403: { name: "neuralNetworkClassifier", layout: "network" },
  404: features("kNearestNeighborsClassifier"),
  500: { name: "neuralNetwork", layout: "network" },
  501: features("itemSimilarityRecommender"),
  502: { name: "mlProgram", layout: "program" },
  555: {
    name: "customModel",
    layout: "custom",
    sealed: true,
    unseen: "customModel: code of the application computes it",
  },
  556: { name: "linkedModel", layout: "other", sealed: true, unseen: "linkedModel: another file holds the model" },
  560: features("classConfidenceThresholding"),
  600: features("oneHotEncoder", "Feature"),
  601: features("imputer", "Feature"),
  602: features("featureVectorizer", "Feature"),
  603: features("dictVectorizer", "Feature"),
  604: features("scaler", "Feature"),
  606: features("categoricalMapping", "Feature"),
  607: features("normalizer", "Feature"),
  609: features("arrayFeatureExtractor", "Feature"),
  610: features("nonMaximumSuppression", "NonMaxSuppression"),
  900: features("identity", "Identity"),
  2000: system("textClassifier"),
  2001: system("wordTagger"),
  2002: system("visionFeaturePrint"),
  2003: system("soundAnalysisPreprocessing"),
  2004: system("gazetteer"),
  2005: system("wordEmbedding"),
  2006: system("audioFeaturePrint"),
  3000: { name: "serializedModel", layout: "other", sealed: true, unseen: "serializedModel: bytes of Apple's own" },
};

export const kindOf = (field: number): Kind | undefined => kinds[field];

/** Least systems by version of the specification: coremltools/__init__.py and Model.proto's notes. */
export const systems: Readonly<Record<number, readonly (readonly [system: string, least: string])[]>> = {
  1: [
    ["iOS", "11"],
    ["macOS", "10.13"],
  ],
  2: [
    ["iOS", "11.2"],
    ["macOS", "10.13.2"],
  ],
  3: [
    ["iOS", "12"],
    ["macOS", "10.14"],
  ],
  4: [
    ["iOS", "13"],
    ["macOS", "10.15"],
  ],
  5: [
    ["iOS", "14"],
    ["macOS", "11"],
  ],
  6: [
    ["iOS", "15"],
    ["macOS", "12"],
  ],
  7: [
    ["iOS", "16"],
    ["macOS", "13"],
  ],
  8: [
    ["iOS", "17"],
    ["macOS", "14"],
  ],
  9: [
    ["iOS", "18"],
    ["macOS", "15"],
  ],
  10: [
    ["iOS", "26"],
    ["macOS", "26"],
  ],
};
