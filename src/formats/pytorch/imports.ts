/**
 * What a pickle imports when it is loaded: loading runs whatever it names. Told apart: PyTorch's own for tensors, Python's plain
 * containers, code somebody wrote, and what is known to run programs. The idea is picklescan's (github.com/mmaitre314/picklescan).
 */

import type { Integrity } from "../../model/graph.ts";

/** "module name" that only make containers, numbers and tensors. */
const plain: ReadonlySet<string> = new Set([
  "collections OrderedDict",
  "collections defaultdict",
  "collections Counter",
  "collections deque",
  "builtins dict",
  "builtins list",
  "builtins set",
  "builtins frozenset",
  "builtins tuple",
  "builtins int",
  "builtins float",
  "builtins bool",
  "builtins str",
  "builtins bytes",
  "builtins bytearray",
  "builtins complex",
  "builtins slice",
  "builtins range",
  "builtins object",
  "_codecs encode",
  "copyreg _reconstructor",
  "numpy dtype",
  "numpy ndarray",
  "numpy.core.multiarray _reconstruct",
  "numpy.core.multiarray scalar",
  "numpy._core.multiarray _reconstruct",
  "numpy._core.multiarray scalar",
  "numpy.core.numeric _frombuffer",
  "numpy._core.numeric _frombuffer",
  "pathlib PosixPath",
  "datetime datetime",
  "torch._tensor _rebuild_from_type_v2",
  "torch.serialization _get_layout",
  "torch.storage _load_from_bytes",
  "torch.torch_version TorchVersion",
  "torch._C _TensorBase",
]);

/** Modules whose names are all of one kind: PyTorch's layers and optimisers, its lists of TorchScript. */
const plainModules = [
  /^torch\._utils _rebuild_\w+$/,
  /^torch(?:\.cuda|\.storage)? (?:Untyped|Typed|[A-Z]\w*)Storage$/,
  /^torch(?: |\.)(?:Size|device|Tensor|dtype|Generator|strided|sparse_coo|sparse_csr|contiguous_format|channels_last|per_tensor_affine|per_channel_affine)$/,
  /^torch (?:q?u?int\d+|q?uint\dx\d|b?float\d+(?:_e\dm\d\w*)?|float\d+\w*|complex\d+|half|double|float|long|int|short|bool|bits\w+)$/,
  /^torch\.jit\._pickle (?:build_\w+|restore_type_tag)$/,
  /^torch\.(?:nn|optim|ao\.nn|nn\.parameter|quantization|ao\.quantization)(?:\.[\w.]+)? \w+$/,
  /^__torch__(?:\.[\w.]+)? \w+$/,
  /^numpy(?:\.dtypes)? (?:u?int\d+|float\d+|bool_?|str_|\w+DType)$/,
];

/** Modules whose functions run programs, read files or import more: whoever made this file wants code to run. */
const dangerous =
  /^(?:os|posix|nt|sys|subprocess|socket|shutil|runpy|pty|ctypes|importlib|code|codeop|commands|builtins|__builtin__|webbrowser|requests|urllib|httplib|http|asyncio|multiprocessing|threading|pickle|_pickle|cloudpickle|dill|joblib|marshal|types|operator|_operator|functools|bdb|pdb|timeit|venv|pip|pydoc|platform|tempfile|signal|inspect|copyreg|copy_reg|torch\.hub|torch\._inductor|torch\.utils|torch\.distributed|torch\.serialization|torch\.jit)(?:\.| )/;

/** Names of one finding told. */
const TOLD = 12;

/** Warnings, and the names of classes that must be installed to load it. */
export function checkImports(globals: readonly string[], where: string): readonly Integrity[] {
  const known = (name: string): string => name.replace(/^__builtin__ /, "builtins ").replace(/^copy_reg /, "copyreg ");
  const strange = globals.filter(
    (name) => !plain.has(known(name)) && !plainModules.some((pattern) => pattern.test(name)),
  );
  const running = strange.filter((name) => dangerous.test(name));
  const other = strange.filter((name) => !dangerous.test(name));
  const out: Integrity[] = [];
  if (running.length > 0)
    out.push({
      severity: "warning",
      rule: "pickle/runs-code",
      says: `${where} imports ${told(running)}: loading it runs that; do not load it`,
    });
  if (other.length > 0)
    out.push({
      severity: "warning",
      rule: "pickle/imports",
      says: `${where} imports ${told(other)}: code that is not PyTorch's own runs when it is loaded`,
    });
  return out;
}

const told = (names: readonly string[]): string => {
  const shown = names.slice(0, TOLD).map((name) => name.replace(" ", ".").slice(0, 120));
  return `${shown.join(", ")}${names.length > TOLD ? ` and ${names.length - TOLD} more` : ""}`;
};
