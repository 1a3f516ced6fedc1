/** What a library, or somebody's code, said: on one line, to be put into a sentence. */

/** Words enough to look for. */
const SAID = 400;

/** Cut where it is longer than is worth reading. */
export function oneLine(says: string): string {
  const text = says.replace(/\s+/g, " ").trim();
  return text.length > SAID ? `${text.slice(0, SAID - 1)}…` : text;
}

/** Of whatever was thrown. koffi puts hints behind the first line. */
export function firstLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split("\n", 1)[0] ?? "";
}

/** The candidate that differs in the fewest letters, when it is near enough to be meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const [near] = candidates
    .map((candidate) => ({ candidate, far: distance(word, candidate) }))
    .sort((a, b) => a.far - b.far);
  return near !== undefined && near.far <= Math.max(2, Math.floor(word.length / 3)) ? near.candidate : undefined;
}

/** Letters to change, add or leave out (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
