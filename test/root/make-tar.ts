/** Tar archives of our own making, honest and otherwise. tar(5) */

export interface Member {
  readonly name: string;
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly link?: string;
  readonly mode?: number;
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Leave the header's checksum wrong. */
  readonly damaged?: boolean;
}

export function makeTar(members: readonly Member[], end = true): Buffer {
  const parts = members.flatMap((member) => {
    const content = Buffer.from(member.content ?? "");
    const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
    return [header(member, content.length), content, padding];
  });
  return Buffer.concat(end ? [...parts, Buffer.alloc(1024)] : parts);
}

export function paxRecord(key: string, value: string): string {
  const bare = ` ${key}=${value}\n`;
  let length = bare.length + 1;
  while (String(length).length + bare.length !== length) length = String(length).length + bare.length;
  return `${length}${bare}`;
}

function header(member: Member, length: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  };
  block.write(member.name, 0, 100, "utf8");
  octal(member.mode ?? 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(member.size ?? length, 124, 12);
  octal(0, 136, 12);
  block.write(member.type ?? "0", 156, "latin1");
  block.write(member.link ?? "", 157, 100, "utf8");
  block.write("ustar\x0000", 257, "latin1");
  octal(member.major ?? 0, 329, 8);
  octal(member.minor ?? 0, 337, 8);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((a, b) => a + b, 0);
  octal(member.damaged === true ? sum + 1 : sum, 148, 7);
  return block;
}
