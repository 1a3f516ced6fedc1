/**
 * Limits of the server, each with its reason: what one caller, or all together, may take from the process. The config file names them
 * as they are named here ("limits"), --check prints them.
 */

interface LimitSpec {
  readonly default: number;
  readonly most: number;
  readonly says: string;
}

const MIB = 1 << 20;

export const limitSpecs = {
  body_bytes: {
    default: 64 * MIB,
    // A Buffer of Node 20 holds 4 GiB; tensors of that size belong into a file.
    most: 4096 * MIB,
    says: "bytes of a request's body, also after it was decompressed: it is held in memory whole",
  },
  bodies_bytes: {
    default: 1024 * MIB,
    most: Number.MAX_SAFE_INTEGER,
    says: "bytes of the bodies of all requests under way together: what callers can make the server hold; more are told to come again",
  },
  body_seconds: {
    default: 30,
    most: 86_400,
    says: "seconds for a body to arrive, and one more for every 16 KiB that came: one who sends a byte now and then is cut off",
  },
  header_bytes: {
    default: 16 << 10,
    most: MIB,
    says: "bytes of a request's line and headers together, held before anything is known of who sends them",
  },
  header_count: { default: 100, most: 2000, says: "headers of a request: each costs an entry of a table" },
  header_seconds: {
    default: 10,
    most: 3600,
    says: "seconds from connecting to the end of the headers: slow ones hold a connection for nothing",
  },
  idle_seconds: { default: 60, most: 86_400, says: "seconds a connection may stay open between two requests" },
  stall_seconds: {
    default: 120,
    most: 86_400,
    says: "seconds in which nothing of an answer is taken, after which its reader counts as gone",
  },
  connections: {
    default: 2048,
    most: 1_000_000,
    says: "open connections: each holds a file descriptor and some 20 KiB",
  },
  connections_per_address: {
    default: 512,
    most: 1_000_000,
    says: "open connections of one address: one caller shall not take all",
  },
  requests_per_connection: {
    default: 1_000_000,
    most: Number.MAX_SAFE_INTEGER,
    says: "requests of a connection, after which it is closed in an orderly way and callers behind a balancer are dealt anew",
  },
  requests: {
    default: 1024,
    most: 1_000_000,
    says: "requests under way at once, bodies included; more are told to come again (429)",
  },
  refusals_per_second: {
    default: 2000,
    most: 1_000_000,
    says: "requests that are told in a second to come again (429); more wait to be told, or refusing would take the time of computing",
  },
  url_bytes: { default: 4096, most: 65_536, says: "bytes of a request's path and query" },
  tensors: { default: 256, most: 65_536, says: "inputs, and wanted outputs, of one inference" },
  elements: {
    default: 1 << 28,
    most: 2 ** 32,
    says: "elements of a tensor: JSON writes a number in two bytes, and it takes up to eight here",
  },
} as const satisfies Readonly<Record<string, LimitSpec>>;

export type Limits = Readonly<Record<keyof typeof limitSpecs, number>>;

/** Defaults with what was chosen otherwise. */
export function limitsWith(chosen: Partial<Limits> = {}): Limits {
  const defaults = Object.fromEntries(Object.entries(limitSpecs).map(([name, spec]) => [name, spec.default])) as Limits; // the same keys
  return { ...defaults, ...chosen };
}
