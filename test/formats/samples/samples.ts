/**
 * Small model files built in code, one module per format id beside this one: what the contract and the fuzzer use where no real file
 * may be in the repository. Add one: export `samples`, names with the ending to bytes.
 */

import { readdirSync } from "node:fs";

export type Samples = Readonly<Record<string, () => Uint8Array>>;

export interface Sample {
  /** Id of the format it is of. */
  readonly format: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Every sample of every format. */
export async function allSamples(): Promise<Sample[]> {
  const modules = readdirSync(new URL(".", import.meta.url)).filter((name) => name !== "samples.ts");
  const loaded = await Promise.all(
    modules.sort().map(async (name) => {
      const { samples } = (await import(/* @vite-ignore */ new URL(name, import.meta.url).href)) as {
        samples: Samples;
      };
      return Object.entries(samples).map(([file, make]) => ({
        format: name.slice(0, -3),
        name: file,
        bytes: make(),
      }));
    }),
  );
  return loaded.flat();
}
