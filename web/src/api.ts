/** Asks the server that this page came from. Errors are one sentence each, the server's own where it has one. */

import { signal } from "@preact/signals";

/** Of this tab only: a token is never written to disk. */
const TOKEN = "accelctl-token";

/** Set where the server wants a token, or another one, to what it says: the frame asks for it. */
export const needsToken = signal<string | undefined>(undefined);
/** Counts tokens that were given: what failed for want of one is asked again. */
export const session = signal(0);

export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** JSON of our own server, of this version. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (await request(path, init)).json()) as T;
}

/** The answer itself, for bytes. Throws ApiError where it is none of the 2xx. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const token = sessionStorage.getItem(TOKEN);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "the server does not answer; is accelctl still running?");
  }
  if (answer.ok) return answer;
  const body: unknown = await answer.json().catch(() => undefined);
  const says = typeof body === "object" && body !== null && "error" in body ? String(body.error) : answer.statusText;
  if (answer.status === 401) needsToken.value = says;
  throw new ApiError(answer.status, says === "" ? `the server answers ${answer.status}` : says);
}

/** Server-sent events, read by fetch because EventSource cannot carry a token. Ends with the server's end or the signal. */
export async function* events(path: string, signal: AbortSignal): AsyncGenerator<{ name: string; data: string }> {
  const answer = await request(path, { signal, headers: { accept: "text/event-stream" } });
  if (answer.body === null) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const lines = part.split("\n");
        const of = (field: string): string[] =>
          lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).trimStart());
        const data = of("data");
        if (data.length > 0) yield { name: of("event")[0] ?? "message", data: data.join("\n") };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined); // already over
  }
}

/** Of the address the command line prints, when the server has a token: "#token=…" goes into this tab and out of the address. */
export function takeTokenFromAddress(): void {
  const [, token] = /^#token=([^&/]+)$/.exec(location.hash) ?? [];
  if (token === undefined) return;
  sessionStorage.setItem(TOKEN, unescaped(token));
  history.replaceState(null, "", `${location.pathname}#/machine`);
}

export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
  needsToken.value = undefined;
  session.value++;
}

/** An address that somebody typed may hold a lone %. */
export function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
