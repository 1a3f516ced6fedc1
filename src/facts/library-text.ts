/**
 * What a library says of its own release, in a text among its bytes: for libraries whose file name does not tell it. Read in pieces,
 * nothing is loaded. Of a capture only the stretch around the text is there.
 */

import { latin1 } from "../base/bytes.ts";
import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { treeOf } from "../root/tree.ts";
import type { Libraries } from "./libraries.ts";

export interface LibraryText {
  /** As Libraries.find takes them. */
  readonly libraries: readonly string[];
  /** One group: the release. */
  readonly says: RegExp;
}

export const librknnrtText: LibraryText = {
  libraries: ["librknnrt.so*", "librknnmrt.so*"],
  says: /librknn(?:m)?rt version: (\d+(?:\.\d+)+)/,
};

/** All there are: a capture keeps what each says. */
export const libraryTexts: readonly LibraryText[] = [librknnrtText];

/** Largest stretch of a library searched: librknnrt has some 8 MiB. */
const SEARCH_LIMIT = 32 * 1024 * 1024;
const PIECE = 1024 * 1024;
/** The longest such text, so that none is cut between two pieces; and what a capture keeps of it. */
const TEXT_LIMIT = 128;

export interface FoundText {
  readonly version: string;
  readonly offset: number;
}

export function findLibraryText(root: Root, path: string, says: RegExp): FoundText | undefined {
  const search = (offset: number, length: number): FoundText | undefined => {
    const piece = valueOf(root.slice(path, offset, length));
    const found = piece && says.exec(latin1(piece));
    const version = found?.[1];
    return found && version !== undefined ? { version, offset: offset + found.index } : undefined;
  };
  const real = valueOf(root.real(path));
  const held = real === undefined ? [] : (treeOf(root)?.parts?.(real) ?? []);
  for (const { offset, length } of held) {
    const found = search(offset, length);
    if (found !== undefined) return found;
  }
  if (held.length > 0) return undefined;
  const size = Math.min(valueOf(root.stat(path))?.size ?? 0, SEARCH_LIMIT);
  for (let at = 0; at < size; at += PIECE) {
    const found = search(at, Math.min(PIECE + TEXT_LIMIT, size - at));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Asks `recorded` for those texts alone, which `source` has been searched for: so that a record of it holds them and no more. */
export function recordLibraryTexts(recorded: Root, source: Root, libraries: Libraries): string[] {
  return libraryTexts.flatMap(({ libraries: patterns, says }) =>
    patterns.flatMap((pattern) => {
      const path = valueOf(libraries.find(pattern))?.[0]?.path;
      const found = path === undefined ? undefined : findLibraryText(source, path, says);
      if (path === undefined || found === undefined) return [];
      const piece = valueOf(recorded.slice(path, found.offset, TEXT_LIMIT));
      return [`${path} ${piece === undefined ? "" : latin1(piece)}`];
    }),
  );
}
