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
