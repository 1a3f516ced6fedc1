/**
 * Opens a kernel by what a person names it: a release of the machine at hand, a directory, a capture or archive, one or more
 * packages of which it consists, or a harvest.
 */

import { statSync } from "node:fs";

import { CannotError } from "../base/errors.ts";
import { uncaptured } from "../base/reading.ts";
import { openDeb } from "../root/archive.ts";
import { readHead, readNamed } from "../root/file.ts";
import { openRoot } from "../root/open.ts";
import { overlayRoots } from "../root/overlay.ts";
import { FILE_LIMIT, type Root } from "../root/root.ts";
import { harvestView, parseHarvest } from "./harvest.ts";
import { readKernelView, type KernelView } from "./kernel-view.ts";

/**
 * `what`: a path (several packages of one kernel with commas between), else a release in `root`. `root` is only opened when a
 * release is asked for.
 */
export function openKernel(what: string | undefined, root: () => Root): KernelView {
  if (what === undefined) return readKernelView(root());
  const parts = what.split(",").filter((part) => part !== "");
  const paths = parts.map((path) => ({ path, kind: kindOf(path) }));
  if (paths.length > 1 && paths.every(({ kind }) => kind === "deb")) return packageView(parts);
  switch (kindOf(what)) {
    case "release":
      if (what.includes("/")) throw new CannotError(`${what}: no such file or directory`);
      return readKernelView(root(), what);
    case "deb":
      return packageView([what]);
    case "harvest":
      return harvestView(parseHarvest(readNamed(what, FILE_LIMIT).toString(), what), what);
    case "root":
      return readKernelView(openRoot(what));
  }
}

/** Packages of one kernel as one root. What firmware the machine has that they would go to, they do not tell. */
function packageView(paths: readonly string[]): KernelView {
  const [first, ...others] = paths.map((path) => openDeb(path));
  if (first === undefined) throw new CannotError("no package named");
  const root = overlayRoots([first, ...others], paths.join(","));
  if (["/lib/modules", "/usr/lib/modules"].every((place) => root.list(place).state !== "read")) {
    throw new CannotError(
      `${root.name}: holds no module tree; Debian has it in linux-image-RELEASE until 6.18, since 6.19 in linux-modules-RELEASE and linux-base-RELEASE`,
    );
  }
  const view = readKernelView(root);
  return {
    ...view,
    firmware: (pattern) => {
      const found = view.firmware(pattern);
      return found.state === "read"
        ? found
        : uncaptured(`/lib/firmware/${pattern}`, "a kernel package holds no firmware");
    },
  };
}

type Kind = "release" | "deb" | "harvest" | "root";

function kindOf(path: string): Kind {
  try {
    if (!statSync(path).isFile()) return "root";
  } catch {
    return "release"; // whatever the errno: it is no file we can open, and may be a release
  }
  const head = readHead(path, 64).toString("latin1");
  if (head.startsWith("!<arch>\n")) return "deb";
  return /^\{\s*"schema": 1,\s*"release": /.test(head) ? "harvest" : "root";
}
