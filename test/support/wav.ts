/** WAV files for tests. */

export interface WavOptions {
  readonly coding: number;
  readonly bits: number;
  readonly channels: number;
  readonly rate: number;
  /** -1 to 1, channels interleaved. */
  readonly samples: readonly number[];
  readonly extensible?: boolean;
  /** Bytes of an unknown chunk before the samples. */
  readonly before?: number;
}

export function wav({ coding, bits, channels, rate, samples, extensible = false, before }: WavOptions): Uint8Array {
  const wide = bits / 8;
  const format = Buffer.alloc(extensible ? 40 : 16);
  format.writeUInt16LE(extensible ? 0xfffe : coding, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE(rate * channels * wide, 8);
  format.writeUInt16LE(channels * wide, 12);
  format.writeUInt16LE(bits, 14);
  if (extensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(coding, 24);
  }
  const data = Buffer.alloc(samples.length * wide);
  samples.forEach((sample, i) => {
    const at = i * wide;
    if (coding === 3 && wide === 4) data.writeFloatLE(sample, at);
    else if (coding === 3) data.writeDoubleLE(sample, at);
    else if (wide === 1) data.writeUInt8(sample * 128 + 128, at);
    else data.writeIntLE(sample * 2 ** (bits - 1), at, wide);
  });
  const parts = [
    chunk("fmt ", format),
    ...(before === undefined ? [] : [chunk("LIST", Buffer.alloc(before))]),
    chunk("data", data),
  ];
  const body = Buffer.concat([Buffer.from("WAVE", "latin1"), ...parts]);
  return Buffer.concat([head("RIFF", body.length), body]);
}

function head(name: string, length: number): Buffer {
  const out = Buffer.alloc(8);
  out.write(name, 0, "latin1");
  out.writeUInt32LE(length, 4);
  return out;
}

const chunk = (name: string, body: Buffer): Buffer =>
  Buffer.concat([head(name, body.length), body, Buffer.alloc(body.length % 2)]);
