/**
 * Memory that two processes share: an anonymous file (memfd_create(2)) mapped in both. It has no name, so nothing of it is left when
 * both have ended, however they end. A page of it costs nothing until it is touched.
 */

import { closeSync, ftruncateSync } from "node:fs";
import { CannotError } from "../base/errors.ts";
import { loadKoffi, type Koffi } from "../base/koffi.ts";

/** Address space, not memory: half of it for what goes in, half for what comes out. */
const RESERVED = process.arch === "arm" || process.arch === "ia32" ? 2 ** 28 : 2 ** 36;
/** mmap(2): PROT_READ | PROT_WRITE; MAP_SHARED | MAP_NORESERVE; the same on every Linux that Node has but MIPS. */
const [READ_WRITE, SHARED] = [3, 0x4001];
const CLOSE_ON_EXEC = 1;
/** A cache line: no runtime asks for more of a tensor. */
const ALIGNED = 64;

interface Libc {
  readonly koffi: Koffi;
  readonly create: (name: string, flags: number) => number;
  readonly map: (at: null, length: number, protect: number, flags: number, fd: number, offset: number) => bigint;
  readonly unmap: (at: bigint, length: number) => number;
}

let libc: Libc | undefined;
function load(): Libc {
  if (libc !== undefined) return libc;
  const koffi = loadKoffi();
  const library = koffi.load(null);
  return (libc = {
    koffi,
    create: library.func("int memfd_create(const char *name, unsigned int flags)") as Libc["create"],
    map: library.func(
      "void *mmap(void *at, size_t length, int protect, int flags, int fd, int64_t offset)",
    ) as Libc["map"],
    unmap: library.func("int munmap(void *at, size_t length)") as Libc["unmap"],
  });
}

/** The file's descriptor; whoever made it closes it. */
export function createShared(): number {
  const { koffi, create } = load();
  const fd = create("accelctl", CLOSE_ON_EXEC);
  if (fd < 0) throw new CannotError(`no shared memory could be made: memfd_create gave error ${koffi.errno()}`);
  ftruncateSync(fd, RESERVED);
  return fd;
}

/** The half of a shared memory that this process hands out from; both halves can be looked into. */
export class SharedMemory {
  readonly #at: bigint;
  readonly #end: number;
  readonly #lent = new Map<ArrayBuffer, number>();
  readonly #views = new Map<number, ArrayBuffer>();
  #next: number;
  #open = true;

  constructor(fd: number, half: "first" | "second") {
    const { koffi, map } = load();
    this.#at = map(null, RESERVED, READ_WRITE, SHARED, fd, 0);
    if (this.#at >= 0xffff_ffff_ffff_f000n || this.#at <= 0n) {
      throw new CannotError(`shared memory could not be mapped: mmap gave error ${koffi.errno()}`);
    }
    this.#next = half === "first" ? 0 : RESERVED / 2;
    this.#end = half === "first" ? RESERVED / 2 : RESERVED;
  }

  /** Zeroes, in place until close(). Throws CannotError when the half is used up. */
  allocate(bytes: number): ArrayBuffer {
    const offset = this.#next;
    if (offset + bytes > this.#end) throw new CannotError(`${bytes} bytes are more than the shared memory has left`);
    this.#next = offset + Math.max(ALIGNED, Math.ceil(bytes / ALIGNED) * ALIGNED);
    return this.view(offset, bytes);
  }

  /** Of a buffer from allocate() or view(); undefined of any other. */
  offsetOf(buffer: ArrayBuffer): number | undefined {
    return this.#lent.get(buffer);
  }

  /** What lies at an offset; the same buffer for the same place, so that whoever keeps things by buffer finds them again. */
  view(offset: number, bytes: number): ArrayBuffer {
    if (!this.#open) throw new CannotError("the shared memory is closed");
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(bytes) || offset < 0 || bytes < 0) {
      throw new CannotError("no such place in the shared memory");
    }
    if (offset + bytes > RESERVED) throw new CannotError("beyond the end of the shared memory");
    const known = this.#views.get(offset);
    if (known?.byteLength === bytes) return known;
    const view = bytes === 0 ? new ArrayBuffer(0) : load().koffi.view(this.#at + BigInt(offset), bytes);
    if (known !== undefined) this.#lent.delete(known);
    this.#views.set(offset, view);
    this.#lent.set(view, offset);
    return view;
  }

  /** No view may be touched afterwards. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#views.clear();
    this.#lent.clear();
    load().unmap(this.#at, RESERVED);
  }
}

export const closeShared = (fd: number): void => closeSync(fd);
