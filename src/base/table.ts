/** Looking into a table with a word from outside: names that every object answers to ("constructor") are no rows of it. */

export function row<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
