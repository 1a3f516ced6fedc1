import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { main } from "../../src/cli.ts";
import { checkServeConfig, readServeConfig, serveSchema, tokenOf } from "../../src/serve/config.ts";
import { limitSpecs } from "../../src/serve/http/limits.ts";
import { identityOnnx, modelsFolder } from "../support/served-models.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-config-"));
const models = modelsFolder({ "identity/1/model.onnx": identityOnnx(), "flat.onnx": identityOnnx() });
afterAll(() => {
  rmSync(folder, { recursive: true });
  models.remove();
});
const file = (name: string, contents: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, contents);
  chmodSync(path, mode);
  return path;
};
async function serve(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const code = await main(["serve", ...words], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    terminal: { color: false, unicode: false, columns: 80 } as never, // nothing here looks at it
  });
  return { code, out, err };
}

test("a setting that is not known is an error that names the nearest one", () => {
  expect(() => checkServeConfig({ lisen: "a" }, "c.json")).toThrow(
    'c.json: the file: there is no setting "lisen"; did you mean "listen"?',
  );
  expect(() => checkServeConfig({ limits: { body_byte: 1 } }, "c.json")).toThrow('did you mean "body_bytes"?');
  expect(() => checkServeConfig({ defaults: { max_btch: 1 } }, "c.json")).toThrow('did you mean "max_batch"?');
  expect(() => checkServeConfig({ qqqqqqqq: 1 }, "c.json")).toThrow(/there is no setting "qqqqqqqq"$/);
  expect(() => checkServeConfig({ drain_seconds: "x" }, "c.json")).toThrow("/drain_seconds: must be number");
  expect(() => checkServeConfig({ limits: { requests: 0 } }, "c.json")).toThrow("/limits/requests");
});

test("paths of a config file begin at its folder", () => {
  const path = file("paths.json", JSON.stringify({ models: "m", token_file: "/t", tls: { cert: "c", key: "k" } }));
  expect(readServeConfig(path)).toEqual({
    models: join(folder, "m"),
    token_file: "/t",
    tls: { cert: join(folder, "c"), key: join(folder, "k") },
  });
  expect(() => readServeConfig(join(folder, "none.json"))).toThrow("ENOENT");
  expect(() => readServeConfig(file("broken.json", "{"))).toThrow("no JSON");
});

test("a token file that others can read is refused", () => {
  expect(tokenOf({ token_file: file("token", " s3cret\n") }, {})).toBe("s3cret");
  expect(() => tokenOf({ token_file: file("open", "s3cret", 0o644) }, {})).toThrow("mode 644 lets others at the token");
  expect(() => tokenOf({ token_file: file("empty", "\n") }, {})).toThrow("holds no token");
  expect(() => tokenOf({ token_file: file("two", "a\nb") }, {})).toThrow("holds no token");
  expect(tokenOf({}, { ACCELCTL_TOKEN: "abc" })).toBe("abc");
  expect(tokenOf({}, {})).toBeUndefined();
  expect(() => tokenOf({ token_environment: "NONE_SUCH" }, {})).toThrow("the environment has no NONE_SUCH");
});

test("--check says what would be served and whether it is right", async () => {
  const { code, out } = await serve("--models", models.path, "--check", "--limit", "body_bytes=1000");
  expect(code).toBe(0);
  expect(out).toContain("listen   127.0.0.1:8000\n");
  expect(out).toContain("gRPC     127.0.0.1:8001\n");
  expect(out).toContain("token    none: whoever reaches it may ask\n");
  expect(out).toContain("limit    body_bytes 1000\n");
  expect(out).toContain("model    flat 1\nmodel    identity 1\n");
  const config = file("ok.json", JSON.stringify({ models: models.path, listen: "127.0.0.1:9", grpc: false }));
  expect((await serve("--config", config, "--check", "--listen", "127.0.0.1:7")).out).toMatch(
    /127\.0\.0\.1:7\ngRPC {5}off/,
  );
});

test("--check ends with 2 for whatever is wrong", async () => {
  const wrong: [string[], string][] = [
    [["--listen", "0.0.0.0:1"], "a token is needed"],
    [["--listen", "nonsense"], "--listen takes HOST:PORT"],
    [["--models", join(folder, "none")], "none"],
    [["--limit", "body=1"], 'there is no limit "body"'],
    [["--limit", "body_bytes=x"], "takes a whole number"],
    [["--drain", "soon"], "--drain takes seconds"],
    [["--tls-cert", "c"], "--tls-cert and --tls-key go together"],
    [["--config", file("unknown.json", '{"modls":"x"}')], 'did you mean "models"?'],
    [["--token-file", file("seen", "x", 0o666)], "lets others at the token"],
  ];
  for (const [words, says] of wrong) {
    const { code, err } = await serve("--check", ...words);
    expect([words, code, err]).toEqual([words, 2, expect.stringContaining(says)]);
  }
  models.write("broken/1/readme.html", new Uint8Array([1]));
  const broken = await serve("--models", models.path, "--check");
  expect([broken.code, broken.out]).toEqual([2, expect.stringContaining("model    broken")]);
});

test("a directory of models that cannot be read is said, and nothing is served", async () => {
  const { code, out, err } = await serve("--models", join(folder, "none"), "--listen", "127.0.0.1:0", "--grpc", "off");
  expect([code, out]).toEqual([3, ""]);
  expect(err).toContain("none: no such directory");
});

test("the published schema is this one, and every limit has a reason", () => {
  const published = JSON.parse(
    readFileSync(new URL("../../docs/serve.schema.json", import.meta.url), "utf8"),
  ) as object;
  expect(published).toEqual(JSON.parse(JSON.stringify(serveSchema)));
  for (const [name, { says }] of Object.entries(limitSpecs)) expect([name, says.length > 30]).toEqual([name, true]);
});
