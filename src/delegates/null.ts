/**
 * The smallest whole delegate: it opens no library, and its one model hands back what it is given. It is the template for others, and
 * what the contract is tried on first. It is never chosen by itself.
 */

import { openSync, closeSync } from "node:fs";
import { CannotError } from "../base/errors.ts";
import { read } from "../base/reading.ts";
import type { Delegate } from "./delegate.ts";

const delegate: Delegate = {
  id: "null",
  name: "Null",
  formats: [],
  devices: ["nothing"],
  verified: "by the tests: nothing has to be installed",
  sources: ["src/delegates/null.ts"],
  find: () => read({ library: "none", version: "1", embedded: true }, "src/delegates/null.ts"),
  supports: () => undefined,
  open(model) {
    try {
      closeSync(openSync(model, "r"));
    } catch (cause) {
      return Promise.reject(new CannotError(`${model}: cannot be opened`, { cause }));
    }
    const port = { name: "value", type: "float32", shape: [null] } as const;
    let closed = false;
    return Promise.resolve({
      inputs: [port],
      outputs: [port],
      version: "1",
      placement: { device: "nothing", says: "nothing was computed: what went in came out" },
      run(inputs) {
        if (closed) return Promise.reject(new CannotError("the session is closed"));
        return Promise.resolve({ outputs: new Map(inputs), spans: [] });
      },
      close() {
        closed = true;
        return Promise.resolve();
      },
    });
  },
};
export default delegate;
