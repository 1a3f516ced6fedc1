/** A session of ONNX Runtime: made with the provider that the device asks for, and told where its nodes went. */

import { CannotError, FileError } from "../../base/errors.ts";
import type { OpenOptions, Placement, Session } from "../delegate.ts";
import { FATAL_ONLY, type Ort, type Pointer } from "./api.ts";
import { familyOf, registerPlugin, type EpDevice } from "./devices.ts";
import { allowing, askForPlacement, readPlacement, REFUSED, type Added } from "./placement.ts";
import { appendProvider } from "./providers.ts";
import { Runner } from "./runner.ts";
import { readPorts } from "./tensor.ts";

/** OrtDeviceAllocator, OrtMemTypeDefault. */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];
/** Options that are the session's and not the provider's, as onnxruntime_session_options_config_keys.h begins them. */
const SESSION_KEY = /^(?:session|optimization|ep|mlas)\./;

/** Throws CannotError (library, provider, device) or FileError (model). */
export async function openSession(ort: Ort, model: string, opening: OpenOptions): Promise<Session> {
  const { device } = opening;
  // Providers log while they are added: there must be someone to log to.
  ort.env();
  const options = ort.pointer("CreateSessionOptions");
  let session: Pointer;
  let added: Added | undefined;
  try {
    ort.call("SetSessionLogSeverityLevel", options, FATAL_ONLY);
    if (opening.threads !== undefined) ort.call("SetIntraOpNumThreads", options, opening.threads);
    added = await addProvider(ort, options, opening);
    session = await create(ort, model, options, added?.provider);
  } finally {
    ort.release("ReleaseSessionOptions", options);
  }
  try {
    const says = "the session was made with ONNX Runtime's CPU provider and no other";
    const placement = added === undefined ? { device, says } : readPlacement(ort, session, device, added);
    return sessionOver(ort, session, placement, opening);
  } catch (error) {
    ort.release("ReleaseSession", session);
    throw error;
  }
}

/** The provider that was added to the session's options; undefined for the CPU's own, which is always there. */
async function addProvider(ort: Ort, options: Pointer, opening: OpenOptions): Promise<Added | undefined> {
  const { device, plugin } = opening;
  const given = new Map(Object.entries(opening.options ?? {}));
  const asked = given.get("provider");
  given.delete("provider");
  for (const [key, value] of given) {
    if (!SESSION_KEY.test(key)) continue;
    ort.call("AddSessionConfigEntry", options, key, value);
    given.delete(key);
  }
  const [kind = "", count = "0"] = device.split(":");
  const own = plugin === undefined && asked === undefined && kind === "cpu";
  if (own && given.size > 0) {
    throw new CannotError(
      `the CPU provider has no option "${[...given.keys()][0] ?? ""}"; session.* are the session's`,
    );
  }
  if (own) return undefined;
  const alone = askForPlacement(ort, options, opening.options ?? {});
  if (plugin === undefined) {
    const wish = { device: kind, given, ...(asked === undefined ? {} : { asked }) };
    return { provider: appendProvider(ort, options, wish), alone };
  }
  const chosen = choose(await registerPlugin(ort, plugin), plugin, { kind, count: Number(count), asked });
  const devices = new BigUint64Array([chosen.pointer]);
  const [keys, values] = [[...given.keys()], [...given.values()]];
  ort.call("SessionOptionsAppendExecutionProvider_V2", options, ort.env(), devices, 1, keys, values, given.size);
  return { provider: chosen.provider, alone };
}

/** By its whole name or without "ExecutionProvider", in any case: Microsoft's own plugins differ from the names of built-in providers. */
function isCalled(provider: string, asked: string): boolean {
  const [whole, wanted] = [provider.toLowerCase(), asked.toLowerCase()];
  return whole === wanted || whole === `${wanted}executionprovider`;
}

/** The device of a plugin's that was asked for. */
function choose(
  devices: readonly EpDevice[],
  plugin: string,
  { kind, count, asked }: { readonly kind: string; readonly count: number; readonly asked: string | undefined },
): EpDevice {
  const fitting = devices.filter(
    (device) => familyOf(device) === kind && (asked === undefined || isCalled(device.provider, asked)),
  );
  const chosen = fitting[count];
  if (chosen !== undefined) return chosen;
  const own = [...new Set(devices.map(({ provider }) => provider))];
  if (asked !== undefined && own.length > 0 && !own.some((provider) => isCalled(provider, asked))) {
    throw new CannotError(`${plugin}: it brings ${own.join(", ")}, and not ${asked}`);
  }
  const has = [...new Set(devices.map((device) => familyOf(device) ?? device.kind))].join(", ");
  const which = count > 0 ? `${kind}:${count}` : kind;
  throw new CannotError(`${plugin}: its provider sees ${has === "" ? "no device" : has}, and not ${which}`);
}

async function create(ort: Ort, model: string, options: Pointer, provider: string | undefined): Promise<Pointer> {
  const out: [Pointer | null] = [null];
  try {
    await ort.callAsync("CreateSession", ort.env(), model, options, out);
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    // With a provider, what is not about the file is the provider's refusal.
    if (provider !== undefined && !/Load model|No such file|protobuf/i.test(error.message)) {
      const hint = REFUSED.test(error.message) ? `; ${allowing}` : "";
      throw new CannotError(`${provider}: ${error.message.replace(/\.$/, "")}${hint}`, { cause: error });
    }
    throw new FileError(
      model,
      error.message.replace(/^ONNX Runtime: (?:Load model from .*? failed:)?/, "ONNX Runtime: "),
    );
  }
  return out[0] ?? 0n;
}

function sessionOver(
  ort: Ort,
  session: Pointer,
  placement: Placement,
  { lending, profile }: Pick<OpenOptions, "lending" | "profile">,
): Session {
  const memory = ort.pointer("CreateCpuMemoryInfo", DEVICE_ALLOCATOR, DEFAULT_MEMORY);
  const allocator = ort.pointer("GetAllocatorWithDefaultOptions");
  const inputs = readPorts(ort, session, allocator, "Input");
  const outputs = readPorts(ort, session, allocator, "Output");
  const runner = new Runner({ ort, session, memory, allocator }, inputs, outputs, {
    ...(lending === undefined ? {} : { lending }),
    profile: profile === true && ort.has("RunOptionsEnableProfiling"),
  });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await runner.drained();
    runner.release();
    ort.release("ReleaseSession", session);
    ort.release("ReleaseMemoryInfo", memory);
  };
  return {
    inputs,
    outputs,
    version: ort.version,
    placement,
    run: (values) =>
      closed === undefined ? runner.run(values) : Promise.reject(new CannotError("the session is closed")),
    close: () => (closed ??= close()),
  };
}
