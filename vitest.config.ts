import { defineConfig } from "vitest/config";

// What measures time, holds ports or drives a browser runs one file at a time; the rest two at a time, before it.
const alone = ["serve", "web", "deploy", "commands", "watch", "delegates", "session", "proof", "export"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);
// Machines that build are slow, shared, and stand still for seconds: what comes late is late, and only what never comes is wrong.
const each = {
  pool: "forks",
  testTimeout: 120_000,
  hookTimeout: 240_000,
  expect: { poll: { timeout: 30_000 } },
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...each,
          name: "beside",
          include: ["test/**/*.test.ts"],
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...each, name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
