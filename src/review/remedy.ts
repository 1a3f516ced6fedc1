/** Turns catalogue facts into something to type on the distribution at hand. Nothing here is ever run. */

import type { Remedy } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import { row } from "../base/table.ts";
import type { Facts } from "../facts/facts.ts";
import { compareReleases } from "../facts/kernel.ts";
import type { PackageRef, Packages } from "../families/family.ts";

type Manager = "debian" | "ubuntu" | "fedora" | "arch";

const managers: Readonly<Record<Manager, string>> = {
  debian: "sudo apt install",
  ubuntu: "sudo apt install",
  fedora: "sudo dnf install",
  arch: "sudo pacman -S",
};

// ID and ID_LIKE of os-release to the packages that fit; order matters, the first that has an entry is taken.
const likeness: Readonly<Record<string, readonly Manager[]>> = {
  debian: ["debian"],
  raspbian: ["debian"],
  ubuntu: ["ubuntu", "debian"],
  fedora: ["fedora"],
  rhel: ["fedora"],
  centos: ["fedora"],
  arch: ["arch"],
};

/** How to get a package here; undefined when the catalogue knows none at all. */
export function installRemedy(facts: Facts, what: string, packages: Packages | undefined): Remedy | undefined {
  if (packages === undefined) return undefined;
  for (const name of distributionOf(facts)) {
    for (const manager of row(likeness, name) ?? []) {
      const refs = packages[manager];
      if (refs !== undefined && refs.length > 0) return packageRemedy(manager, what, refs, packages);
    }
  }
  // Which distribution it is was not seen: each that has a package is named. On another one the maker's way is all there is.
  const known = distributionOf(facts).length > 0 ? [] : packagesEverywhere(packages);
  const maker = packages.vendor?.says;
  const links = packages.vendor?.link === undefined ? {} : { links: [packages.vendor.link] };
  if (known.length > 0) {
    return {
      says: `install ${what} (${[...known, ...(maker === undefined ? [] : [`maker: ${maker}`])].join("; ")})`,
      ...links,
    };
  }
  if (maker !== undefined) return { says: `${what}: ${maker}`, ...links };
  if (packages.pypi && packages.pypi.length > 0) {
    return {
      says: `install ${what} from PyPI`,
      commands: [`python3 -m pip install ${packages.pypi.map((p) => p.name).join(" ")}`],
    };
  }
  const others = packagesEverywhere(packages);
  return others.length === 0 ? undefined : { says: `install ${what} (${others.join("; ")})` };
}

function packagesEverywhere(packages: Packages): string[] {
  return (["debian", "ubuntu", "fedora", "arch"] as const)
    .filter((id) => (packages[id] ?? []).length > 0)
    .map((id) => `${id}: ${(packages[id] ?? []).map((p) => p.name).join(", ")}`);
}

/** Who built the kernel is written in its version; where os-release was not seen that is the distribution, as far as anyone can tell. */
const builders: readonly { readonly like: RegExp; readonly id: string }[] = [
  { like: /\bDebian \d|\+deb\d/, id: "debian" },
  { like: /-Ubuntu\b/, id: "ubuntu" },
  { like: /\.fc\d+\./, id: "fedora" },
  { like: /-arch\d/, id: "arch" },
];

/** Ids of the distribution and of those it is like; none when it is not known. */
function distributionOf(facts: Facts): readonly string[] {
  const distro = valueOf(facts.distro);
  if (distro !== undefined) return [distro.id, ...distro.like];
  const kernel = valueOf(facts.kernel);
  const words = [facts.release, kernel && valueOf(kernel.version)].filter((word) => word !== undefined).join(" ");
  return builders.filter(({ like }) => like.test(words)).map(({ id }) => id);
}

/** Package that holds a release's modules: Debian moved them out of linux-image with 6.19. */
export function packageOfModules(facts: Facts, release: string): string | undefined {
  if (release === "" || distributionOf(facts)[0] !== "debian") return undefined;
  return `${compareReleases(release, "6.19") < 0 ? "linux-image" : "linux-modules"}-${release}`;
}

function packageRemedy(manager: Manager, what: string, refs: readonly PackageRef[], packages: Packages): Remedy {
  const notes = refs.flatMap(({ name, from, gives }) => {
    const words = [from, gives].filter((word) => word !== undefined);
    return words.length === 0 ? [] : [`${name}: ${words.join("; ")}`];
  });
  const maker = packages.vendor === undefined ? "" : `; from the maker: ${packages.vendor.says}`;
  const own = refs.filter((ref) => ref.by === undefined && !isKernel(ref)).map((ref) => ref.name);
  const kernels = refs.filter(isKernel).flatMap(kernelCommand);
  const snaps = refs.filter((ref) => ref.by === "snap").map((ref) => `sudo snap install ${ref.name}`);
  return {
    says: `install ${what}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}${maker}`,
    commands: [...(own.length === 0 ? [] : [`${managers[manager]} ${own.join(" ")}`]), ...kernels, ...snaps],
    ...(packages.vendor?.link === undefined ? {} : { links: [packages.vendor.link] }),
  };
}

const isKernel = (ref: PackageRef): boolean => ref.name.startsWith("linux-image-");

/**
 * A kernel's package is installed already: to install it again brings no driver. Only backports hold a newer one of the same release;
 * else the release itself has to be upgraded, which is no command of ours.
 */
function kernelCommand({ name, from }: PackageRef): string[] {
  const backports = /\b([a-z]+)-backports\b/.exec(from ?? "");
  return backports === null
    ? []
    : [`sudo apt install -t ${backports[0]} ${name}   # on ${backports[1] ?? ""}, with backports enabled`];
}
