/** Mount tables. proc_pid_mounts(5), proc_pid_mountinfo(5): blanks in a path are written \040 */

export interface Mount {
  readonly source: string;
  readonly path: string;
  readonly type: string;
  readonly options: string;
}

/** A busy container host has some thousands of mounts. */
const MOUNT_LIMIT = 20_000;

/** Lines of /proc/mounts or fstab(5). */
export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n", MOUNT_LIMIT)) {
    const [source, path, type, options] = line.trim().split(/\s+/, 4);
    if (path === undefined || type === undefined || line.trimStart().startsWith("#")) continue;
    mounts.push({ source: unescapeOctal(source ?? ""), path: unescapeOctal(path), type, options: options ?? "" });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
