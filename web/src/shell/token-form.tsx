/** Asks for the bearer token of a server that wants one. */

import { useState } from "preact/hooks";

export interface TokenFormProps {
  /** The server's words. */
  readonly says: string;
  readonly onToken: (token: string) => void;
}

export function TokenForm({ says, onToken }: TokenFormProps) {
  const [typed, setTyped] = useState("");
  return (
    <form
      class="card token-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() !== "") onToken(typed.trim());
      }}
    >
      <h1>This server asks for a token</h1>
      <p class="soft">
        It is the one that accelctl was started with (--token-file, or ACCELCTL_TOKEN). This tab keeps it until it is
        closed, and sends it nowhere else.
      </p>
      <p role="alert">{says}</p>
      <label for="token">Token</label>
      <div class="token-row">
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Go on
        </button>
      </div>
    </form>
  );
}
