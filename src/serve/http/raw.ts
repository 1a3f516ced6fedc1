/** Answers to what never became a request of Node's: it was no HTTP, came too slowly, or on a connection too many. */

import type { Duplex } from "node:stream";

/** A whole answer. `headers`: lines with their ends. */
export function rawAnswer(status: string, words: string, headers = ""): string {
  const body = JSON.stringify({ error: words });
  return `HTTP/1.1 ${status}\r\nconnection: close\r\n${headers}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** For a server's clientError. */
export function refuseRaw(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, words] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", "the headers are too long"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", "the headers did not come in time"]
        : ["400 Bad Request", "this is no HTTP/1.1 request"];
  socket.end(rawAnswer(status, words));
  setTimeout(() => socket.destroy(), 1000).unref();
}
