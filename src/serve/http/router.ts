/**
 * Router: from method and path to a route. A small tree of path segments, and a table of paths that were asked before, so that a
 * hot path costs one look-up.
 */

import { HttpError, type Part, type Route } from "../door.ts";

export interface Match {
  readonly route: Route;
  readonly part: Part;
  readonly params: Readonly<Record<string, string>>;
}

interface Node {
  readonly segments: Map<string, Node>;
  named?: Node;
  /** By method. */
  readonly routes: Map<string, { readonly route: Route; readonly part: Part; readonly names: readonly string[] }>;
  /** Likewise, of routes that take the rest. */
  readonly rest: Map<string, { readonly route: Route; readonly part: Part; readonly names: readonly string[] }>;
}

/** Paths that are remembered: models times routes; forgotten all at once beyond. */
const REMEMBERED = 4096;

const emptyNode = (): Node => ({ segments: new Map(), routes: new Map(), rest: new Map() });

export class Router {
  readonly #root = emptyNode();
  readonly #known = new Map<string, Map<string, Match>>();
  #count = 0;

  /** Throws for two routes of one path: a bug of whoever put the parts together. */
  constructor(parts: readonly Part[]) {
    for (const part of parts) for (const route of part.routes) this.#add(part, route);
  }

  /** `path`: without the query, as sent. Throws HttpError 404, 405 (with Allow), 400 where its escapes make no sense. */
  find(method: string, path: string): Match {
    const known = this.#known.get(method)?.get(path);
    if (known !== undefined) return known;
    const found = this.#walk(method, path);
    if (this.#count >= REMEMBERED) {
      this.#known.clear();
      this.#count = 0;
    }
    const of = this.#known.get(method) ?? new Map<string, Match>();
    this.#known.set(method, of.set(path, found));
    this.#count++;
    return found;
  }

  /** Methods that a path takes, in no order; none where it is not served. */
  methods(path: string): readonly string[] {
    const { node, rest } = this.#reach(path);
    const all = new Set([...(node?.routes.keys() ?? []), ...(rest?.node.rest.keys() ?? [])]);
    if (all.has("GET")) all.add("HEAD");
    return all.size === 0 ? [] : [...all, "OPTIONS"];
  }

  #add(part: Part, route: Route): void {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of route.path.slice(1).split("/")) {
      if (segment === "*") {
        if (node.rest.has(route.method)) throw new Error(`two routes of ${route.method} ${route.path}`);
        node.rest.set(route.method, { route, part, names: [...names, "*"] });
        return;
      }
      if (segment.startsWith(":")) {
        names.push(segment.slice(1));
        node = node.named ??= emptyNode();
        continue;
      }
      let next = node.segments.get(segment);
      if (next === undefined) node.segments.set(segment, (next = emptyNode()));
      node = next;
    }
    if (node.routes.has(route.method)) throw new Error(`two routes of ${route.method} ${route.path}`);
    node.routes.set(route.method, { route, part, names });
  }

  #walk(method: string, path: string): Match {
    const { node, values, rest } = this.#reach(path);
    const asked = method === "HEAD" ? "GET" : method;
    const exact = node?.routes.get(asked);
    const found = exact ?? rest?.node.rest.get(asked);
    if (found === undefined) {
      const allowed = this.methods(path);
      if (allowed.length === 0) throw new HttpError(404, "nothing is served at this path");
      throw new HttpError(405, `this path takes ${allowed.join(", ")}`, { allow: allowed.join(", ") });
    }
    const taken = exact === undefined && rest !== undefined ? [...rest.values, rest.tail] : values;
    const params: Record<string, string> = {};
    found.names.forEach((name, i) => {
      params[name] = unescaped(taken[i] ?? "");
    });
    return { route: found.route, part: found.part, params };
  }

  /** The node of a path, a fixed segment before a named one; and the deepest on the way that takes the rest. */
  #reach(path: string): {
    node: Node | undefined;
    values: readonly string[];
    rest: { node: Node; values: readonly string[]; tail: string } | undefined;
  } {
    let node: Node | undefined = this.#root;
    const values: string[] = [];
    let rest: { node: Node; values: readonly string[]; tail: string } | undefined;
    let at = 1;
    while (at <= path.length) {
      if (node.rest.size > 0) rest = { node, values: [...values], tail: path.slice(at) };
      const slash = path.indexOf("/", at);
      const end = slash < 0 ? path.length : slash;
      const segment = path.slice(at, end);
      const fixed: Node | undefined = node.segments.get(segment);
      if (fixed === undefined) {
        if (node.named === undefined || segment === "") return { node: undefined, values, rest };
        values.push(segment);
        node = node.named;
      } else node = fixed;
      at = end + 1;
    }
    return { node, values, rest };
  }
}

function unescaped(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpError(400, "the path holds an escape (%) that is no UTF-8");
  }
}
