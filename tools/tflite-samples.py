"""Small TFLite files written with the schema's own generated code, for test/formats/samples/tflite.ts: what published files have too
little of.

    python3 tools/tflite-samples.py SCHEMA_PY_GENERATED > test/formats/tflite-samples.json

SCHEMA_PY_GENERATED is schema_py_generated.py of the PyPI package ai-edge-litert (2.3.0 was used); it needs flatbuffers and numpy.
"""
import base64
import importlib.util
import json
import re
import struct
import sys

import flatbuffers

spec = importlib.util.spec_from_file_location("schema", sys.argv[1])
S = importlib.util.module_from_spec(spec)
spec.loader.exec_module(S)
with open(sys.argv[1]) as f:
    source = f.read()
found = {}
OPS = {k: v for k, v in vars(S.BuiltinOperator).items() if not k.startswith("_")}


def make(cls, **fields):
    o = cls()
    for k, v in fields.items():
        assert hasattr(o, k), k
        setattr(o, k, v)
    return o


def tensor(name, shape, type="FLOAT32", buffer=0, **more):
    return make(S.TensorT, name=name, shape=shape, type=getattr(S.TensorType, type), buffer=buffer, hasRank=True, **more)


def graph(name, tensors, operators, inputs, outputs):
    return make(S.SubGraphT, name=name, tensors=tensors, operators=operators, inputs=inputs, outputs=outputs)


def operator(code, inputs, outputs, **more):
    return make(S.OperatorT, opcodeIndex=code, inputs=inputs, outputs=outputs, **more)


def code(name, version=1, custom=None):
    n = OPS[name]
    return make(S.OperatorCodeT, builtinCode=n, deprecatedBuiltinCode=min(n, 127), version=version, customCode=custom)


def pack(m):
    b = flatbuffers.Builder(1024)
    b.Finish(m.Pack(b), b"TFL3")
    return bytes(b.Output())


def keep(name, codes, graphs, buffers=(), then=lambda raw: raw, **more):
    first = make(S.BufferT, data=None)
    m = make(S.ModelT, version=3, operatorCodes=codes, subgraphs=graphs, buffers=[first, *buffers], **more)
    found[name + ".tflite"] = base64.b64encode(then(pack(m))).decode()


data = lambda raw: make(S.BufferT, data=list(raw))
floats = lambda *values: struct.pack(f"<{len(values)}f", *values)

# Options of every kind, as their defaults and with a value in each field.


def filled(name):
    o = getattr(S, name + "T")()
    body = source[source.index(f"class {name}T(object)") :]
    body = body[: body.index("@classmethod")]
    for i, (field, default, kind) in enumerate(re.findall(r"self\.(\w+) = (\w+) +# type: (\S+)", body)):
        old = getattr(o, field)
        if kind == "bool":
            value = not old
        elif kind == "int":
            value = 1  # every enum has a member 1, and there is a subgraph 1
            if not re.search("graph|[Tt]ype$|format|padding|activation|mode|combiner|algorithm|[Dd]irection|unction|Format", field):
                value = [-3, 7, 2**31 - 1][i % 3] if not re.match("seed", field) else 2**40 + i
        elif kind == "float":
            value = [0.1, 6.0, -1e-3][i % 3]
        elif kind == "Optional[str]":
            value = "näm"
        elif "bool" in kind:
            value = [True, False]
        elif "float" in kind:
            value = [0.5, -1.0, 1e9]
        elif "List[int]" in kind:
            value = [1, 0] if re.search("ubgraph|omputations|recision|ttributes", field) else [1, 0, 5]
        else:
            raise SystemExit(f"{name}.{field}: {kind}")
        setattr(o, field, value)
    return o


def with_options(file, unions):
    codes, tensors, operators = [], [tensor("x", [1])], []
    for union, name, number in unions:
        word = re.sub("([a-z0-9])([A-Z])", r"\1_\2", name.replace("Options", "")).upper().replace("STABLE_HLO", "STABLEHLO")
        codes.append(code(word if word in OPS else "ADD"))
        for o in (getattr(S, name + "T")(), filled(name)):
            tensors.append(tensor("", [1]))
            # Options that name a graph name the second one, which names none
            for field in vars(o):
                if re.search("subgraphInd|^subgraph$", field) and getattr(o, field) in (0, None):
                    setattr(o, field, [1] if field.endswith("Indices") else 1)
            fields = {f"builtinOptions{union}Type": number, f"builtinOptions{union}": o}
            operators.append(operator(len(codes) - 1, [0], [len(tensors) - 1], **fields))
    leaf = graph("leaf", [tensor("a", [1])], [], [0], [0])
    keep(file, codes, [graph("all", tensors, operators, [0], [len(tensors) - 1]), leaf])


members = lambda union: sorted(((v, k) for k, v in vars(union).items() if not k.startswith("_") and k != "NONE"))
ones = [("", name, number) for number, name in members(S.BuiltinOptions)]
with_options("options-a", ones[:60])
with_options("options-b", ones[60:])
with_options("options-c", [("2", name, number) for number, name in members(S.BuiltinOptions2)])

# Two signatures over two graphs, with an operator of a custom kernel and one of TensorFlow.
named = lambda **names: [make(S.TensorMapT, name=k, tensorIndex=v) for k, v in names.items()]
main = graph("main", [tensor("in", [1, 4]), tensor("mid", [1, 4]), tensor("out:0", [1, 4])],
             [operator(0, [0], [1], customOptions=list(b"\x01\x02")), operator(1, [1], [2])], [0], [2])
train = graph("train", [tensor("loss", [], "FLOAT64"), tensor("same", [], "FLOAT64")], [operator(2, [0], [1])], [0], [1])
keep(
    "signatures", [code("CUSTOM", custom="MyKernel"), code("CUSTOM", custom="FlexErf"), code("NEG", 2)], [main, train],
    signatureDefs=[
        make(S.SignatureDefT, signatureKey="serving_default", subgraphIndex=0, inputs=named(images=0), outputs=named(**{"out:0": 2, "inner": 1})),
        make(S.SignatureDefT, signatureKey="train", subgraphIndex=1, inputs=named(loss=0), outputs=[]),
    ],
    metadata=[make(S.MetadataT, name="min_runtime_version", buffer=1)], buffers=[data(b"2.15.0".ljust(16, b"\0"))],
    description="MLIR Converted.",
)


# Sparse constants: rows of a matrix, and blocks of one (the schema's own example of a 2x2 block).
def dense(size):
    return make(S.DimensionMetadataT, format=S.DimensionType.DENSE, denseSize=size)


def csr(segments, indices, width=8):
    kind, cls, word = {8: (3, S.Uint8VectorT, "Uint8Vector"), 16: (2, S.Uint16VectorT, "Uint16Vector"), 32: (1, S.Int32VectorT, "Int32Vector")}[width]
    v = lambda values: make(cls, values=values)
    n = getattr(S.SparseIndexVector, word)
    assert n == kind
    return make(S.DimensionMetadataT, format=S.DimensionType.SPARSE_CSR, arraySegmentsType=n, arraySegments=v(segments), arrayIndicesType=n, arrayIndices=v(indices))


rows = make(S.SparsityParametersT, traversalOrder=[0, 1], dimMetadata=[dense(3), csr([0, 2, 2, 3], [0, 3, 2], 16)])
blocks = make(S.SparsityParametersT, traversalOrder=[0, 1, 2, 3], blockMap=[0, 1], dimMetadata=[dense(2), csr([0, 1, 2], [0, 1]), dense(2), dense(2)])


def sparse(name, a=rows, b=blocks, stored=(floats(1, 2, 3), bytes(range(8)))):
    keep(
        name, [code("DENSIFY"), code("FULLY_CONNECTED")],
        [graph(
            "main",
            [tensor("x", [1, 4]), tensor("rows", [3, 4], buffer=1, sparsity=a), tensor("blocks", [4, 4], "INT8", 2, sparsity=b),
             tensor("full", [4, 4], "INT8"), tensor("y", [1, 3])],
            [operator(0, [2], [3], builtinOptionsType=S.BuiltinOptions.DensifyOptions, builtinOptions=S.DensifyOptionsT()),
             operator(1, [0, 1, -1], [4], builtinOptionsType=S.BuiltinOptions.FullyConnectedOptions, builtinOptions=S.FullyConnectedOptionsT())],
            [0], [3, 4],
        )],
        [data(part) for part in stored],
    )


sparse("sparse")
sparse("broken-sparse-values", stored=(floats(1, 2), bytes(range(8))))
sparse("broken-sparse-segments", make(S.SparsityParametersT, traversalOrder=[0, 1], dimMetadata=[dense(3), csr([0, 2, 2, 4], [0, 3, 2])]))
sparse("broken-sparse-index", make(S.SparsityParametersT, traversalOrder=[0, 1], dimMetadata=[dense(3), csr([0, 2, 2, 3], [0, 4, 2])]))
sparse("broken-sparse-order", make(S.SparsityParametersT, traversalOrder=[0, 0], dimMetadata=[dense(3), csr([0, 2, 2, 3], [0, 3, 2])]))
sparse("broken-sparse-ranks", make(S.SparsityParametersT, traversalOrder=[0, 1, 2], dimMetadata=[dense(3), csr([0, 2, 2, 3], [0, 3, 2])]))
sparse("broken-sparse-size", make(S.SparsityParametersT, traversalOrder=[0, 1], dimMetadata=[dense(2), csr([0, 2, 3], [0, 3, 2])]))

# Constants behind the flatbuffer, in the file (as those over 2 GB have them) and in another.
fc = lambda **w: graph(
    "main", [tensor("x", [1, 4]), tensor("w", [3, 4], **w), tensor("y", [1, 3])],
    [operator(0, [0, 1, -1], [2], builtinOptionsType=S.BuiltinOptions.FullyConnectedOptions, builtinOptions=S.FullyConnectedOptionsT())], [0], [2],
)


def outside(name, shift=0, size=48):
    m = make(S.ModelT, version=3, operatorCodes=[code("FULLY_CONNECTED")], subgraphs=[fc(buffer=1)], buffers=[S.BufferT(), make(S.BufferT, offset=2, size=size)])
    at = -(-len(pack(m)) // 16) * 16
    m.buffers[1].offset = at + shift
    raw = pack(m)
    assert len(raw) <= at
    found[name + ".tflite"] = base64.b64encode(raw.ljust(at, b"\0") + floats(*range(12))).decode()


outside("outside")
outside("broken-outside-end", shift=4)
outside("broken-outside-size", size=44)


def external(name, location="weights.bin", group=0, length=48, used=1):
    keep(
        name, [code("FULLY_CONNECTED")], [fc(externalBuffer=used)],
        externalBufferGroups=[make(S.ExternalBufferGroupT, name=location)],
        externalBuffers=[make(S.ExternalBufferT, id=1, group=group, offset=4096, length=length, packing="")],
    )


external("external")
external("broken-external-parent", "../weights.bin")
external("broken-external-absolute", "/etc/passwd")
external("broken-external-group", group=1)
external("broken-external-size", length=47)
external("broken-external-id", used=2)

# Quantised per channel, in blocks, to four and two bits; a variable, a scalar, a tensor of unknown rank and one of open dimensions.
q = lambda **k: make(S.QuantizationParametersT, **k)
blockwise = make(S.BlockwiseQuantizationT, scales=3, zeroPoints=-1, blockSize=2)
keep(
    "quantized", [code("FULLY_CONNECTED", 12), code("ASSIGN_VARIABLE"), code("VAR_HANDLE")],
    [graph(
        "main",
        [
            tensor("x", [1, 4], "INT8", shapeSignature=[-1, 4], quantization=q(scale=[0.5], zeroPoint=[-128], min=[0.0], max=[127.5])),
            tensor("w", [3, 4], "INT4", 1, quantization=q(scale=[0.1, 0.2, 0.3], zeroPoint=[0, 0, 0], quantizedDimension=0)),
            tensor("w2", [3, 4], "INT2", 2, quantization=q(detailsType=S.QuantizationDetails.BlockwiseQuantization, details=blockwise)),
            tensor("scales", [3, 2], "FLOAT16", 3),
            make(S.TensorT, name="unknown", type=0),
            tensor("scalar", []),
            tensor("handle", [], "RESOURCE"),
            tensor("state", [1, 3], "INT8", isVariable=True, quantization=q(scale=[0.25], zeroPoint=[3])),
            tensor("y", [1, 3], "INT8", quantization=q(scale=[1.0], zeroPoint=[0])),
        ],
        [operator(0, [0, 1, -1], [8]), operator(0, [8, 2, 5], [4]), operator(2, [], [6]), operator(1, [6, 7], [])], [0, 5], [8, 4],
    )],
    [data(range(6)), data(range(3)), data(range(12))],
)
json.dump(found, sys.stdout, indent=2)
print()
