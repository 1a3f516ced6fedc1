/**
 * What a DRM driver writes about one open file: whose device, time or cycles of its engines, memory by region.
 * Documentation/gpu/drm-usage-stats.rst
 */

export interface Engine {
  /** Nanoseconds, counted up. */
  readonly time?: number;
  /** Cycles of the engine and of its clock, counted up. */
  readonly cycles?: number;
  readonly total?: number;
  /** Engines of this kind that work side by side. */
  readonly capacity: number;
}

export interface Usage {
  readonly driver?: string;
  readonly pdev?: string;
  /** Files that were duplicated or inherited are one client and show one count. */
  readonly client?: string;
  readonly engines: ReadonlyMap<string, Engine>;
  /** Bytes by region: resident where the driver tells it, else allocated, else all buffers. */
  readonly memory: ReadonlyMap<string, number>;
}

/** A driver with twenty engines and memory regions writes some hundred lines. */
const LINE_LIMIT = 500;
/** Of fdinfo's text: a file with more is none of DRM's. */
const TEXT_LIMIT = 64 * 1024;

const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, B: 1 };
/** What says most about memory comes last and replaces what was before. drm-memory is the old name of drm-resident. */
const MEMORY = ["total", "memory", "resident"];

export function parseFdinfo(text: string): Usage {
  const words = new Map<string, string>();
  for (const [, key = "", value = ""] of text
    .slice(0, TEXT_LIMIT)
    .matchAll(/^drm-([\w-]{1,80}):[ \t]*([^\n]{0,200})$/gm)) {
    if (words.size >= LINE_LIMIT) break;
    words.set(key, value.trim());
  }
  const engines = new Map<string, { time?: number; cycles?: number; total?: number; capacity: number }>();
  const memory = new Map<string, number>();
  const engine = (name: string) => {
    const kept = engines.get(name) ?? { capacity: 1 };
    engines.set(name, kept);
    return kept;
  };
  for (const [key, word] of words) {
    const [, kind = "", name = ""] = /^(engine-capacity|engine|total-cycles|cycles)-(.+)$/.exec(key) ?? [];
    const number = /^(\d{1,20})(?: ns)?$/.exec(word)?.[1];
    if (kind === "" || number === undefined) continue;
    const value = Number(number);
    if (kind === "engine") engine(name).time = value;
    else if (kind === "cycles") engine(name).cycles = value;
    else if (kind === "total-cycles") engine(name).total = value;
    else if (value >= 1 && value <= 1024) engine(name).capacity = value;
  }
  for (const kind of MEMORY) {
    for (const [key, word] of words) {
      if (!key.startsWith(`${kind}-`)) continue;
      const [, number, unit = ""] = /^(\d{1,20})(?:\s+(KiB|MiB|GiB|B))?$/.exec(word) ?? [];
      const scale = UNITS[unit];
      // total-cycles is no region.
      if (number === undefined || scale === undefined || key.startsWith("total-cycles-")) continue;
      memory.set(key.slice(kind.length + 1), Number(number) * scale);
    }
  }
  const [driver, pdev, client] = [words.get("driver"), words.get("pdev"), words.get("client-id")];
  return {
    ...(driver === undefined ? {} : { driver }),
    ...(pdev === undefined ? {} : { pdev }),
    ...(client === undefined ? {} : { client }),
    engines,
    memory,
  };
}
