/** Command lines: verbs that read no machine, with options and words that no one meant. Every refusal is a UsageError with its exit code. */

import { main } from "../../../src/cli.ts";
import { plainTerminal } from "../../../src/print/terminal.ts";
import { noControls } from "../check.ts";
import { below, mutateText, oddities, pick, type Random } from "../mutate.ts";
import { Complaint, type Target } from "../target.ts";

const verbs = [
  "help",
  "catalog",
  "explain",
  "version",
  "--version",
  "--help",
  "constructor",
  "__proto__",
  "catalogg",
  "",
];
const words = [
  [
    "--json",
    "--help",
    "-h",
    "--family",
    "--format",
    "--",
    "--no-such",
    "-x",
    "--json=1",
    "--=",
    "---",
    "coral",
    "hailo",
    "review",
  ],
  [
    "kernel",
    "/dev/apex_0: Permission denied",
    "Failed to request firmware: -2",
    "--open",
    "--since",
    "6.10",
    "nothing",
  ],
].flat();

function argument(random: Random): string {
  const word = random() < 0.2 ? pick(random, oddities) : pick(random, words);
  const odd = random() < 0.2 ? mutateText(word, random) : word;
  // A lone "-" would wait for standard input; a name of a file would read it; no kernel hands over a NUL.
  return odd === "-" || /^[./]/.test(odd) ? "x" : odd.replaceAll("\0", "");
}

export const commandLines: Target = {
  name: "command lines",
  share: 1,
  make: (random) => {
    const argv = [pick(random, verbs), ...Array.from({ length: below(random, 4) }, () => argument(random))];
    const verb = argv.find((word) => word !== "--help" && word !== "-h") ?? "";
    // Without a verb the machine at hand would be reviewed.
    const safe = verb.startsWith("-") && !["--version", "--help"].includes(verb) ? ["help", ...argv] : argv;
    return {
      input: JSON.stringify(safe),
      run: async () => {
        let said = "";
        const say = (text: string): void => void (said += text);
        const code = await main(safe, { out: say, err: say, terminal: plainTerminal });
        if (![0, 1, 2, 3].includes(code)) throw new Complaint(`exit code ${code}`);
        if (said === "") throw new Complaint("nothing was said");
        noControls("command line", said);
      },
    };
  },
};
