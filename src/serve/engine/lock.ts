/**
 * Locks on devices that serve one process at a time: flock(2) on a file that all servers of a machine find. The kernel lets go of it
 * when its holder ends, however it ends, and says in /proc/locks who that is. proc_locks(5)
 */

import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CannotError } from "../../base/errors.ts";
import { loadKoffi } from "../../base/koffi.ts";
import type { Candidate } from "../../session/choose.ts";

/** Families of which a second process gets no device, by what was seen to happen then (src/breakages). */
const SINGLE_OWNER: Readonly<Record<string, { readonly breakage: string }>> = {
  "cloud-tpu": { breakage: "tpu-lock" },
  hailo: { breakage: "hailo-in-use" },
  "intel-gaudi": { breakage: "gaudi-busy" },
};
/** flock(2): LOCK_EX | LOCK_NB of asm-generic/fcntl.h. */
const EXCLUSIVE_NOW = 2 | 4;
/** Of a holder's command line in a sentence. */
const COMMAND_LIMIT = 80;

/** Locks that this engine holds: its models share them. */
export class Locks {
  readonly #folder: string | undefined;
  readonly #held = new Map<string, { readonly fd: number; users: number }>();

  /** `folder`: of the files; where servers look for them when not said. */
  constructor(folder?: string) {
    this.#folder = folder;
  }

  /** Takes the lock of a device that needs one; what it returns lets go of it. Throws CannotError with the holder's name. */
  take({ device, at }: Pick<Candidate, "device" | "at">, exclusive: boolean | undefined): () => void {
    const [family = device] = device.split(":");
    if (!(exclusive ?? Object.hasOwn(SINGLE_OWNER, family))) return () => undefined;
    const name = (at?.id ?? device).replace(/[^\w.-]+/g, "-");
    const held = this.#held.get(name) ?? { fd: this.#lock(name, device), users: 0 };
    held.users++;
    this.#held.set(name, held);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      if (--held.users > 0) return;
      this.#held.delete(name);
      closeSync(held.fd);
    };
  }

  #lock(name: string, device: string): number {
    const fd = openLock(this.#folder, `accelctl-${name}.lock`);
    const flock = loadKoffi().load(null).func("int flock(int fd, int operation)") as (
      fd: number,
      how: number,
    ) => number;
    if (flock(fd, EXCLUSIVE_NOW) === 0) return fd;
    const { ino } = fstatSync(fd);
    closeSync(fd);
    throw new CannotError(`${device} is held by ${holderOf(ino) ?? "another process"}`);
  }
}

/** Where every user's servers look first; what only this user has, where that cannot be written. */
function openLock(folder: string | undefined, name: string): number {
  const folders = folder === undefined ? ["/run/lock", process.env["XDG_RUNTIME_DIR"] ?? tmpdir()] : [folder];
  let cause: unknown;
  for (const one of folders) {
    try {
      return openIn(join(realpathSync(one), name));
    } catch (error) {
      cause = error; // EACCES, EROFS, ENOENT: the next
    }
  }
  throw new CannotError(`no lock can be made in ${folders.join(" or ")}`, { cause });
}

/** Another user's may be read, which is enough for a lock. Never through a link that somebody put there. */
function openIn(path: string): number {
  const flags = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return openSync(path, constants.O_RDONLY | flags);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | flags, 0o644);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    return openSync(path, constants.O_RDONLY | flags); // somebody else was quicker
  }
}

/** "process 812 (accelctl serve --models x)" */
function holderOf(inode: number): string | undefined {
  let pid: string | undefined;
  try {
    // 1: FLOCK  ADVISORY  WRITE 812 00:1b:4242 0 EOF
    const lines = readFileSync("/proc/locks", "latin1").split("\n");
    const fields = lines
      .map((line) => line.trim().split(/\s+/))
      .find((all) => all[1] === "FLOCK" && all[5]?.endsWith(`:${inode}`));
    pid = fields?.[4];
    if (pid === undefined || !/^[1-9]\d*$/.test(pid)) return undefined; // -1: of another container
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    return `process ${pid} (${command.length > COMMAND_LIMIT ? `${command.slice(0, COMMAND_LIMIT)}…` : command})`;
  } catch {
    return pid === undefined ? undefined : `process ${pid}`; // it has just ended, or may not be seen
  }
}
