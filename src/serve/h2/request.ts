/** The fields of a request of HTTP/2 as they are read: its line, what else it says, and whether that may be (RFC 9113, 8.3). */

import type { Field } from "./hpack.ts";
import type { Head } from "./stream.ts";

export interface FieldLimits {
  readonly header_bytes: number;
}

export class RequestFields implements Head {
  method = "";
  path = "";
  readonly fields: Field[] = [];
  /** Parts of its line that were given, a bit each; fields that may not be there. */
  lines = 0;
  wrong = false;
  /** A field that is no part of the line came. */
  #begun = false;
  bytes = 0;
  length: number | undefined;
  readonly #limits: FieldLimits;

  constructor(limits: FieldLimits) {
    this.#limits = limits;
  }

  /** Method, scheme and path are there, as RFC 9113, 8.3.1, wants them. */
  get whole(): boolean {
    return !this.wrong && (this.lines & 7) === 7 && this.path !== "";
  }

  readonly take = (field: Field): void => {
    this.bytes += field.size;
    if (this.bytes > this.#limits.header_bytes) return;
    const { kind, value } = field;
    const line = kind === "method" ? 1 : kind === "scheme" ? 2 : kind === "path" ? 4 : kind === "authority" ? 8 : 0;
    if (line === 0) this.#begun = true;
    // Once, and before all others.
    else if ((this.lines & line) !== 0 || this.#begun) this.wrong = true;
    this.lines |= line;
    if (kind === "plain") this.fields.push(field);
    else if (kind === "wrong") this.wrong = true;
    else if (kind === "method") this.method = value;
    else if (kind === "path") this.path = value;
    else if (kind === "content-length") {
      // Two that differ cannot both be held to.
      if (this.length !== undefined && this.length !== Number(value)) this.wrong = true;
      this.length = Number(value);
    }
  };
}
