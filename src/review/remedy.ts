/** Turns catalogue facts into something to type on the distribution at hand. Nothing here is ever run. */

import type { Remedy } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import { row } from "../base/table.ts";
import type { Facts } from "../facts/facts.ts";
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
  const distro = valueOf(facts.distro);
  const names = distro === undefined ? [] : [distro.id, ...distro.like];
  for (const name of names) {
    for (const manager of row(likeness, name) ?? []) {
      const refs = packages[manager];
      if (refs !== undefined && refs.length > 0) return packageRemedy(manager, what, refs, packages);
    }
  }
  if (packages.vendor) {
    return {
      says: `${what}: ${packages.vendor.says}`,
      ...(packages.vendor.link === undefined ? {} : { links: [packages.vendor.link] }),
    };
  }
  if (packages.pypi && packages.pypi.length > 0) {
    return {
      says: `install ${what} from PyPI`,
      commands: [`python3 -m pip install ${packages.pypi.map((p) => p.name).join(" ")}`],
    };
  }
  const known = (["debian", "ubuntu", "fedora", "arch"] as const)
    .filter((id) => (packages[id] ?? []).length > 0)
    .map((id) => `${id}: ${(packages[id] ?? []).map((p) => p.name).join(", ")}`);
  return known.length === 0 ? undefined : { says: `install ${what} (${known.join("; ")})` };
}

function packageRemedy(manager: Manager, what: string, refs: readonly PackageRef[], packages: Packages): Remedy {
  const notes = refs.flatMap(({ name, from, gives }) => {
    const words = [from, gives].filter((word) => word !== undefined);
    return words.length === 0 ? [] : [`${name}: ${words.join("; ")}`];
  });
  const maker = packages.vendor === undefined ? "" : `; from the maker: ${packages.vendor.says}`;
  const own = refs.filter((ref) => ref.by === undefined).map((ref) => ref.name);
  const snaps = refs.filter((ref) => ref.by === "snap").map((ref) => `sudo snap install ${ref.name}`);
  return {
    says: `install ${what}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}${maker}`,
    commands: [...(own.length === 0 ? [] : [`${managers[manager]} ${own.join(" ")}`]), ...snaps],
    ...(packages.vendor?.link === undefined ? {} : { links: [packages.vendor.link] }),
  };
}
