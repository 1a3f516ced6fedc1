/** Errors as OpenAI's API writes them, by which its clients choose their classes. https://platform.openai.com/docs/guides/error-codes */

/** What was asked for is not as it should be, or not served. */
export class ChatError extends Error {
  override readonly name = "ChatError";
  readonly status: number;
  readonly code: string | null;
  /** The field that is meant. */
  readonly param: string | null;

  constructor(status: number, message: string, code: string | null = null, param: string | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

interface Kind {
  readonly type: string;
  readonly code: string | null;
}

const kinds: Readonly<Record<number, Kind>> = {
  401: { type: "invalid_request_error", code: "invalid_api_key" },
  404: { type: "invalid_request_error", code: "model_not_found" },
  429: { type: "rate_limit_error", code: "rate_limit_exceeded" },
};

/** The body of an error answer. */
export function errorBody(status: number, message: string, code?: string | null, param: string | null = null): unknown {
  const kind = kinds[status] ?? { type: status < 500 ? "invalid_request_error" : "server_error", code: null };
  return { error: { message, type: kind.type, param, code: code ?? kind.code } };
}
