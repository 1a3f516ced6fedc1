/** Asks the server that this page came from. Errors are one sentence each, the server's own where it has one. */

/** Of this tab only: a token is never written to disk. */
const TOKEN = "accelctl-token";

export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  const token = sessionStorage.getItem(TOKEN);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, headers });
  } catch {
    throw new ApiError(0, "the server does not answer; is accelctl still running?");
  }
  if (!answer.ok) {
    const body: unknown = await answer.json().catch(() => undefined);
    const says = typeof body === "object" && body !== null && "error" in body ? String(body.error) : answer.statusText;
    throw new ApiError(answer.status, says);
  }
  return (await answer.json()) as T; // our own server's, of this version
}

export const setToken = (token: string): void => sessionStorage.setItem(TOKEN, token);
