"""What the onnx package itself says of ONNX files, for test/formats/onnx.test.ts.

    python3 tools/onnx-oracle.py MODELS_DIR test/formats/onnx-samples.json > test/formats/onnx-oracle.json

onnx 1.23.2 was used. Long aspects are digests, each of its own, so that a test that fails names what differs. The second argument holds
the small files of tools/onnx-samples.py.
"""
import base64
import collections
import glob
import hashlib
import json
import os
import struct
import sys

import onnx
from onnx import AttributeProto, TensorProto, numpy_helper, shape_inference

WORDS = {"FLOAT": "float32", "DOUBLE": "float64"}
# Types the shared model has no word for are told by ONNX's own.
TYPES = collections.defaultdict(lambda: "no type", {n: WORDS.get(k, k.lower()) for k, n in TensorProto.DataType.items()})


def digest(rows):
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def number(v):
    """Integers as such, what is none by its float32 bits: text would round."""
    if isinstance(v, int) and abs(v) < 2**53:
        return str(v)
    if isinstance(v, float) and v.is_integer() and abs(v) < 2**53:
        return str(int(v))
    return "%08x" % struct.unpack("<I", struct.pack("<f", v))


def text(b):
    return b.decode("utf8", "replace") if len(b) <= 4096 else f"{len(b)} bytes"


def summary(t):
    return f"{TYPES[t.data_type]}[{','.join(map(str, t.dims))}]"


def spelled(t):
    """TypeProto as ONNX's documents spell it."""
    kind = t.WhichOneof("value")
    if kind in ("tensor_type", "sparse_tensor_type"):
        return f"tensor({TYPES[getattr(t, kind).elem_type]})"
    if kind == "sequence_type":
        return f"seq({spelled(t.sequence_type.elem_type)})"
    if kind == "optional_type":
        return f"optional({spelled(t.optional_type.elem_type)})"
    if kind == "map_type":
        return f"map({TYPES[t.map_type.key_type]},{spelled(t.map_type.value_type)})"
    return "opaque" if kind else "?"


def dims(shape):
    one = lambda d: (str(d.dim_value) if d.dim_value != -1 else "?") if d.HasField("dim_value") else d.dim_param or "?"
    return "[" + ",".join(one(d) for d in shape.dim) + "]"


def value(v):
    kind = v.type.WhichOneof("value")
    if kind in ("tensor_type", "sparse_tensor_type"):
        t = getattr(v.type, kind)
        return f"{TYPES[t.elem_type]}{dims(t.shape) if t.HasField('shape') else ''}"
    return spelled(v.type)


def attribute(a):
    A = AttributeProto
    if a.ref_attr_name:
        return "@" + a.ref_attr_name
    if a.type in (A.FLOAT, A.INT):
        return number(a.f if a.type == A.FLOAT else a.i)
    if a.type in (A.FLOATS, A.INTS):
        values = a.floats if a.type == A.FLOATS else a.ints
        return f"{len(values)} numbers" if len(values) > 65536 else "[" + ",".join(map(number, values)) + "]"
    if a.type == A.STRING:
        return text(a.s)
    if a.type == A.STRINGS:
        return "[" + ",".join(map(text, a.strings)) + "]"
    if a.type == A.TENSOR:
        return summary(a.t)
    if a.type == A.TENSORS:
        return "[" + ",".join(map(summary, a.tensors)) + "]"
    if a.type == A.TYPE_PROTO:
        t = a.tp.WhichOneof("value")
        return TYPES[a.tp.tensor_type.elem_type] if t == "tensor_type" else spelled(a.tp)
    sparse = lambda t: f"sparse {TYPES[t.values.data_type]}[{','.join(map(str, t.dims))}]"
    if a.type == A.SPARSE_TENSOR:
        return sparse(a.sparse_tensor)
    if a.type == A.SPARSE_TENSORS:
        return "[" + ",".join(map(sparse, a.sparse_tensors)) + "]"
    return None  # graphs stand by themselves


def data(name, t):
    """Bytes of constant data, where they lie as they are, and a digest of them."""
    external = {e.key: e.value for e in t.external_data}
    if t.data_location == TensorProto.EXTERNAL:
        lies = f"{external['location']} {external.get('offset', '0')} {external.get('length', '')}"
    elif t.HasField("raw_data"):
        lies = f"{len(t.raw_data)} {hashlib.sha256(t.raw_data).hexdigest()[:8]}"
    elif t.float_data or t.double_data:
        raw = struct.pack(f"<{len(t.float_data)}f", *t.float_data) or struct.pack(f"<{len(t.double_data)}d", *t.double_data)
        lies = f"{len(raw)} {hashlib.sha256(raw).hexdigest()[:8]}"
    else:
        lies = "-"
    return f"{name} {summary(t)} {lies}"


def constants(nodes, initializers):
    found = {t.name: t for t in initializers}
    for n in nodes:
        if n.op_type == "Constant" and n.domain in ("", "ai.onnx"):
            for a in n.attribute:
                if a.name == "value":
                    found[n.output[0]] = a.t
    return found


# Scale and zero point of what is quantised: (tensor, scale, zero point), "out" is the output.
QUANTISED = {
    "QuantizeLinear": [("out", 1, 2)],
    "DequantizeLinear": [(0, 1, 2)],
    "QLinearConv": [(0, 1, 2), (3, 4, 5), ("out", 6, 7)],
    "QLinearMatMul": [(0, 1, 2), (3, 4, 5), ("out", 6, 7)],
}


def quantisation(nodes, known, rows, annotations):
    for n in nodes:
        block = any(a.name == "block_size" and a.i > 0 for a in n.attribute)
        for which, scale, zero in QUANTISED.get(n.op_type, []):
            name = n.output[0] if which == "out" else n.input[which]
            s = known.get(n.input[scale])
            if s is None or name in rows:
                continue
            if block or len(s.dims) > 1:
                rows[name] = "blocks"
                continue
            z = known.get(n.input[zero]) if len(n.input) > zero else None
            values = lambda t: "[" + ",".join(number(float(v)) for v in numpy_helper.to_array(t).flatten()) + "]"
            rows[name] = values(s) + (values(z) if z is not None else "[]")
    for a in annotations:
        entry = {e.key: e.value for e in a.quant_parameter_tensor_names}
        if a.tensor_name not in rows and entry.get("SCALE_TENSOR") in known:
            z = known.get(entry.get("ZERO_POINT_TENSOR"))
            values = lambda t: "[" + ",".join(number(float(v)) for v in numpy_helper.to_array(t).flatten()) + "]"
            rows[a.tensor_name] = values(known[entry["SCALE_TENSOR"]]) + (values(z) if z is not None else "[]")


class Walk:
    """Graphs in the order in which they begin in the file, functions after the main one and what is in it."""

    def __init__(self, m):
        self.aspects = {k: [] for k in "ends operators attributes data".split()}
        self.graphs, self.declared, self.quantised = 0, [], []
        opsets = {o.domain if o.domain != "ai.onnx" else "": o.version for o in m.opset_import}
        self.graph(m.graph, opsets, {})
        for f in m.functions:
            own = {o.domain if o.domain != "ai.onnx" else "": o.version for o in f.opset_import}
            domain = "" if f.domain == "ai.onnx" else f.domain
            name = f"{domain}::{f.name}{':' + f.overload if f.overload else ''}"
            index = self.begin(name, f.input, f.output)
            self.declare(index, f.value_info)
            known = constants(f.node, [])
            self.aspects["data"][index] += [data(t, known[t]) for t in sorted(known)]
            self.nodes(f.node, own, known, [], index)
        for t in m.training_info:
            for g, word in ((t.initialization, "initialization"), (t.algorithm, "algorithm")):
                if g.ByteSize():
                    self.graph(g, opsets, {}, "training: " + word)

    def begin(self, name, inputs, outputs):
        for rows in self.aspects.values():
            rows.append([])
        self.aspects["ends"][-1].append(f"{name} ({','.join(inputs)}) ({','.join(outputs)})")
        self.graphs += 1
        return self.graphs - 1

    def declare(self, index, values):
        for v in values:
            if v.HasField("type"):
                self.declared.append(f"{index}\t{v.name}\t{value(v)}")

    def graph(self, g, opsets, outer, name=""):
        given = {t.name for t in g.initializer} | {t.values.name for t in g.sparse_initializer}
        index = self.begin(g.name or name, [v.name for v in g.input if v.name not in given], [v.name for v in g.output])
        self.declare(index, [v for v in [*g.input, *g.output, *g.value_info] if v.name not in given])
        known = constants(g.node, g.initializer)
        for t in sorted(known):
            self.aspects["data"][index].append(data(t, known[t]))
        sparse = {t.values.name: t for t in g.sparse_initializer}
        sparse |= {n.output[0]: a.sparse_tensor for n in g.node if n.op_type == "Constant" for a in n.attribute if a.name == "sparse_value"}
        for name, t in sorted(sparse.items()):
            size = sum(len(numpy_helper.to_array(part).tobytes()) for part in (t.values, t.indices))
            self.aspects["data"][index].append(f"{name} {TYPES[t.values.data_type]}[{','.join(map(str, t.dims))}] {size} sparse")
        self.nodes(g.node, opsets, {**outer, **known}, g.quantization_annotation, index)

    def nodes(self, nodes, opsets, known, annotations, index):
        rows = {}
        quantisation(nodes, known, rows, annotations)
        self.quantised += [f"{index}\t{k}\t{v}" for k, v in sorted(rows.items())]
        for n in nodes:
            domain = "" if n.domain == "ai.onnx" else n.domain
            self.aspects["operators"][index].append(
                f"{domain}:{n.op_type} {n.name} {opsets.get(domain, '')} ({','.join(n.input)}) ({','.join(n.output)})"
            )
            held = {a.name: attribute(a) for a in n.attribute}
            if n.overload:
                held["overload"] = n.overload
            self.aspects["attributes"][index].append(" ".join(f"{k}={v}" for k, v in sorted(held.items()) if v is not None))
            for a in n.attribute:
                for g in [a.g] if a.type == AttributeProto.GRAPH else a.graphs:
                    self.graph(g, opsets, known)


def inferred(m):
    """Shapes of what the nodes give, graph by graph, as onnx's own inference has them: "-" unknown, "?" open."""
    try:
        m = shape_inference.infer_shapes(m, strict_mode=True, data_prop=True)
    except Exception:
        return None
    out = []

    def walk(g):
        known = {v.name: v for v in [*g.value_info, *g.output, *g.input]}
        row = []
        out.append(row)
        for n in g.node:
            for o in n.output:
                v = known.get(o)
                t = v.type.tensor_type if v is not None and v.type.HasField("tensor_type") else None
                held = t is not None and t.HasField("shape")
                row.append(",".join(str(d.dim_value) if d.HasField("dim_value") else "?" for d in t.shape.dim) if held else "-")
            for a in n.attribute:
                for inner in [a.g] if a.type == AttributeProto.GRAPH else a.graphs:
                    walk(inner)

    walk(m.graph)
    return [" ".join(s or "()" for s in row) for row in out]


def verdict(raw, m):
    try:
        onnx.checker.check_model(m, full_check=False)
        return "ok"
    except Exception as e:
        return " ".join(str(e).split())[:120]


def describe(raw):
    m = onnx.ModelProto()
    m.ParseFromString(raw)
    walk = Walk(m)
    metadata = {f"opset {o.domain or 'ai.onnx'}": str(o.version) for o in m.opset_import}
    if m.domain:
        metadata["domain"] = m.domain
    if m.model_version:
        metadata["model version"] = str(m.model_version)
    metadata.update({p.key: p.value[:4096] for p in m.metadata_props})
    return {
        "version": f"IR {m.ir_version}",
        "producer": f"{m.producer_name} {m.producer_version}".strip(),
        "graphs": walk.graphs,
        **{k: digest(row for rows in v for row in rows) for k, v in walk.aspects.items()},
        "metadata": digest(f"{k}={v}" for k, v in sorted(metadata.items())),
        "declared": walk.declared,
        "quantised": walk.quantised,
        "inferred": inferred(m),
        "checker": verdict(raw, m),
    }


found = {}
top, samples = sys.argv[1], sys.argv[2]
for path in sorted(glob.glob(top + "/onnx/**/*.onnx", recursive=True) + glob.glob(top + "/axmodel/*.axmodel")):
    with open(path, "rb") as f:
        found[os.path.relpath(path, top)] = describe(f.read())
with open(samples) as f:
    for name, raw in json.load(f).items():
        found["samples/" + name] = describe(base64.b64decode(raw))
print("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False, separators=(',', ':'))}" for k, v in found.items()) + "\n}")
