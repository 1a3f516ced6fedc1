/** Commands that a finding offers are copied into shells, and what a machine's files say may hold anything. */

/** `text` as one word of a shell command: as it is when that is plain, else in quotes. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
