/** src/uapi against the C compiler with this machine's kernel headers, and against numbers compiled from Linux 7.3 headers. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import * as amdxdna from "../../src/uapi/amdxdna.ts";
import * as drm from "../../src/uapi/drm.ts";
import * as ethosu from "../../src/uapi/ethosu.ts";
import * as fastrpc from "../../src/uapi/fastrpc.ts";
import * as habanalabsMisc from "../../src/uapi/habanalabs-misc.ts";
import * as habanalabs from "../../src/uapi/habanalabs.ts";
import * as ivpu from "../../src/uapi/ivpu.ts";
import type { Layout } from "../../src/uapi/layout.ts";
import * as qaic from "../../src/uapi/qaic.ts";
import * as rknpu from "../../src/uapi/rknpu.ts";

type Module = Readonly<Record<string, string | number | Layout>> & { readonly header: string };
const modules: Readonly<Record<string, Module>> = {
  drm,
  ivpu,
  amdxdna,
  habanalabs,
  "habanalabs-misc": habanalabsMisc,
  ethosu,
  qaic,
  fastrpc,
};

const numbersOf = (module: Module): [string, number][] =>
  Object.entries(module).filter((entry): entry is [string, number] => typeof entry[1] === "number");
const layoutsOf = (module: Module): [string, Layout][] =>
  Object.entries(module).filter((entry): entry is [string, Layout] => typeof entry[1] === "object");

describe("the compiler agrees with src/uapi", () => {
  for (const [name, module] of Object.entries(modules)) {
    test(`about <${module.header}> (${name})`, (context) => {
      if (spawnSync("cc", ["--version"]).status !== 0) return context.skip("no C compiler here");
      if (!existsSync(join("/usr/include", module.header))) {
        return context.skip(`this machine's kernel headers have no ${module.header}`);
      }
      const measured = compile(module);
      if (typeof measured === "string") return context.skip(`${module.header} is too old: ${measured}`);
      expect(measured).toEqual(expected(module));
    });
  }
});

/** One line per fact: "NAME value", "struct size", "struct.field offset size". */
function expected(module: Module): string[] {
  return [
    ...numbersOf(module).map(([name, value]) => `${name} ${value}`),
    ...layoutsOf(module).flatMap(([struct, layout]) => [
      `${struct} ${layout.size}`,
      ...Object.entries(layout.fields).map(([field, { offset, size }]) => `${struct}.${field} ${offset} ${size}`),
    ]),
  ];
}

/** What the compiler says, or its first complaint. */
function compile(module: Module): string[] | string {
  const statements = [
    ...numbersOf(module).map(([name]) => `printf("${name} %lu\\n", (unsigned long)${name});`),
    ...layoutsOf(module).flatMap(([struct, layout]) => [
      `printf("${struct} %zu\\n", sizeof(struct ${struct}));`,
      ...Object.keys(layout.fields).map(
        (field) =>
          `printf("${struct}.${field} %zu %zu\\n", offsetof(struct ${struct}, ${field}), sizeof(((struct ${struct} *)0)->${field}));`,
      ),
    ]),
  ];
  const work = mkdtempSync(join(tmpdir(), "uapi-"));
  try {
    const includes = ["stddef.h", "stdio.h", "linux/ioctl.h", module.header].map((path) => `#include <${path}>\n`);
    writeFileSync(join(work, "a.c"), `${includes.join("")}int main(void) { ${statements.join("\n")} return 0; }\n`);
    const compiled = spawnSync("cc", ["-o", join(work, "a"), join(work, "a.c")], { encoding: "utf8" });
    if (compiled.status !== 0) return /error: (.*)/.exec(compiled.stderr)?.[1] ?? "it does not compile";
    return spawnSync(join(work, "a"), { encoding: "utf8" }).stdout.trimEnd().split("\n");
  } finally {
    rmSync(work, { recursive: true });
  }
}

const compiledFacts = new URL("../../../shared/facts/ioctls-7.3-x86_64.json", import.meta.url);
interface CompiledDriver {
  readonly ioctls: Readonly<Record<string, { readonly value: string }>>;
  readonly structs: Readonly<
    Record<
      string,
      {
        readonly size: number;
        readonly fields: readonly { name: string; type: string; offset: number; size: number }[];
      }
    >
  >;
}

describe.skipIf(!existsSync(compiledFacts))("numbers compiled elsewhere from Linux 7.3 agree with src/uapi", () => {
  const facts = existsSync(compiledFacts)
    ? (JSON.parse(readFileSync(compiledFacts, "utf8")) as Record<string, CompiledDriver>)
    : {};
  const drivers: [string, Module][] = [
    ["drm-core", drm],
    ["intel_vpu", ivpu],
    ["amdxdna", amdxdna],
    ["habanalabs", habanalabs],
    ["ethosu", ethosu],
    ["qaic", qaic],
    ["fastrpc", fastrpc],
  ];
  test.each(drivers)("%s", (driver, module) => {
    const known = facts[driver];
    expect(known).toBeDefined();
    let compared = 0;
    for (const [name, value] of numbersOf(module)) {
      const request = known?.ioctls[name];
      if (request === undefined) continue;
      compared++;
      expect([name, value]).toEqual([name, Number(request.value)]);
    }
    for (const [name, layout] of layoutsOf(module)) {
      const struct = known?.structs[name];
      if (struct === undefined) continue;
      compared++;
      expect([name, layout.size]).toEqual([name, struct.size]);
      for (const [path, field] of Object.entries(layout.fields)) {
        const there = known === undefined ? undefined : placeOf(known, name, path);
        if (there !== undefined) expect([path, field.offset, field.size]).toEqual([path, there.offset, there.size]);
      }
    }
    expect(compared).toBeGreaterThan(0);
  });

  /** Offset and size of a field, nested structs followed. */
  function placeOf(driver: CompiledDriver, struct: string, path: string): { offset: number; size: number } | undefined {
    let [offset, inside, size] = [0, struct, 0];
    for (const name of path.split(".")) {
      const field = driver.structs[inside]?.fields.find((candidate) => candidate.name === name);
      if (field === undefined) return undefined;
      offset += field.offset;
      size = field.size;
      inside = field.type.replace(/^struct /, "");
    }
    return { offset, size };
  }
});

describe("request numbers are made as asm-generic/ioctl.h says", () => {
  const layouts: [string, number, string, number, number][] = [
    ["DRM_IOCTL_RKNPU_ACTION", rknpu.DRM_IOCTL_RKNPU_ACTION, "d", 0x40, rknpu.rknpu_action.size],
    ["IOCTL_RKNPU_ACTION", rknpu.IOCTL_RKNPU_ACTION, "r", 0x00, rknpu.rknpu_action.size],
    ["DRM_IOCTL_VERSION", drm.DRM_IOCTL_VERSION, "d", 0x00, drm.drm_version.size],
    ["FASTRPC_IOCTL_GET_DSP_INFO", fastrpc.FASTRPC_IOCTL_GET_DSP_INFO, "R", 13, fastrpc.fastrpc_ioctl_capability.size],
  ];
  test.each(layouts)("%s", (_, value, type, number, size) => {
    expect(value).toBe(((3 << 30) | (size << 16) | (type.charCodeAt(0) << 8) | number) >>> 0);
  });
});

const trace = new URL(
  "../../../shared/machines/text/rknpu_allbilly_capture_rknpu_ioctl_sysfs_readonly.txt",
  import.meta.url,
);
test.skipIf(!existsSync(trace))("a trace of librknnrt on RK3588 uses the numbers we know of rknpu", () => {
  const text = readFileSync(trace, "utf8");
  const submit = Number(/SUBMIT #1 cmd=(0x[0-9a-f]+) size=104/.exec(text)?.[1]);
  // The same driver's next request, with a struct of 104 bytes instead of 8.
  expect(submit).toBe(rknpu.DRM_IOCTL_RKNPU_ACTION + 1 + ((104 - 8) << 16));
  const answered = [...text.matchAll(/ACTION flags=(0x[0-9a-f]+) ret=0/g)].map(([, flags]) => Number(flags));
  expect(answered).toEqual(
    expect.arrayContaining([rknpu.RKNPU_GET_HW_VERSION, rknpu.RKNPU_GET_DRV_VERSION, rknpu.RKNPU_GET_IOMMU_EN]),
  );
});
