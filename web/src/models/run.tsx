/** Running a model: what goes in, where, how often; then what came out. Two places are compared. */

import { useEffect, useRef, useState } from "preact/hooks";
import { sentence } from "../api.ts";
import { announce, Badge, Command, Empty, ErrorBox, harmless, Spinner } from "../parts/index.ts";
import { askList, fetchInput, runModel, sendInput, type Offer, type RunAnswer, type RunRequest } from "./api.ts";
import { FileButton } from "./file-button.tsx";
import { InputRows, requestInputs, type InputWish } from "./input-rows.tsx";
import { useLoaded } from "./load.ts";
import type { TabProps } from "./model-page.tsx";
import { Results } from "./results.tsx";

/** For the picture that comes with accelctl. */
const PICTURE = "picture";

interface Given {
  readonly name: string;
  /** Of this page: a file that has yet to be sent, or the id of one that is there. */
  readonly file?: File;
  readonly id?: string;
  /** For showing it, where it is a picture that the browser can show. */
  readonly picture?: Blob;
}

export default function RunTab({ model, dropped }: TabProps) {
  const [list] = useLoaded(askList, []);
  if (list.value?.no_run !== undefined) {
    return (
      <Empty title="Nothing is run here.">
        <p>{list.value.no_run}</p>
      </Empty>
    );
  }
  if (model.offers.length === 0) {
    return (
      <Empty title="Nothing on this machine runs this model.">
        <p>
          <a href={`#/models/${model.id}`}>The overview</a> says why, and what would help.
        </p>
      </Empty>
    );
  }
  return <RunPanel model={model} dropped={dropped} limit={list.value?.limits.input_bytes} />;
}

const offerWords = ({ device, name, delegate, route }: Offer): string =>
  `${name ?? device} by ${delegate.name}${route === undefined ? "" : `, route ${route}`}`;

function RunPanel({ model, dropped, limit }: TabProps & { readonly limit: number | undefined }) {
  const ports = model.inspection?.inputs ?? [];
  const [first, setFirst] = useState(0);
  const [second, setSecond] = useState(-1);
  const [given, setGiven] = useState<Given | undefined>(undefined);
  const [seed, setSeed] = useState("0");
  const [repeat, setRepeat] = useState("10");
  const [warmup, setWarmup] = useState("3");
  const [threads, setThreads] = useState("");
  const [profile, setProfile] = useState(false);
  const [wishes, setWishes] = useState<ReadonlyMap<string, InputWish>>(new Map());
  const [state, setState] = useState<"idle" | "running">("idle");
  const [failed, setFailed] = useState<string | undefined>(undefined);
  const [answer, setAnswer] = useState<{ readonly run: RunAnswer; readonly picture?: Blob; readonly words: string }>();
  const leaving = useRef<AbortController | undefined>(undefined);
  const results = useRef<HTMLDivElement>(null);

  const take = (files: readonly File[]): void => {
    const [file] = files;
    if (file === undefined) return;
    if (limit !== undefined && file.size > limit) {
      setFailed(`${file.name} is longer than the ${Math.round(limit / 2 ** 20)} MiB that an input may have`);
      return;
    }
    setFailed(undefined);
    setGiven({ name: file.name, file, ...(file.type.startsWith("image/") ? { picture: file } : {}) });
    announce(`${file.name} goes in`);
  };
  useEffect(() => {
    if (dropped.length > 0) take(dropped);
  }, [dropped]);
  useEffect(() => {
    if (model.demo !== true) return;
    fetchInput(model.id, PICTURE).then(
      (picture) => setGiven((now) => now ?? { name: "cat.jpg", id: PICTURE, picture }),
      () => undefined,
    );
  }, [model.id]);
  useEffect(() => () => leaving.current?.abort(), []);

  const run = async (): Promise<void> => {
    const on = [first, second].flatMap((index) => {
      const offer = model.offers[index];
      if (offer === undefined) return [];
      const { device, delegate, route } = offer;
      return [{ device, delegate: delegate.id, ...(route === undefined ? {} : { route }) }];
    });
    setFailed(undefined);
    setState("running");
    const stop = new AbortController();
    leaving.current = stop;
    try {
      let sent = given;
      if (given?.file !== undefined) {
        sent = { ...given, id: await sendInput(model.id, given.file) };
        delete (sent as { file?: File }).file;
        setGiven(sent);
      }
      const more = await requestInputs(wishes, (file) => sendInput(model.id, file));
      const request: RunRequest = {
        on,
        ...(sent?.id === undefined ? {} : { input: sent.id }),
        ...more,
        ...whole("seed", seed),
        ...whole("repeat", repeat),
        ...whole("warmup", warmup),
        ...whole("threads", threads),
        ...(profile ? { profile } : {}),
      };
      const got = await runModel(model.id, request, stop.signal);
      setAnswer({
        run: got,
        words: commandOf(model.name, request, sent?.name),
        ...(sent?.picture === undefined ? {} : { picture: sent.picture }),
      });
      announce("the run has ended");
      requestAnimationFrame(() => results.current?.scrollIntoView({ block: "nearest" }));
    } catch (error) {
      if (!stop.signal.aborted) setFailed(sentence(error));
    } finally {
      if (leaving.current === stop) leaving.current = undefined;
      setState("idle");
    }
  };
  const running = state === "running";
  return (
    <div class="run-tab">
      <form
        class="card run-form"
        aria-label="Run this model"
        onSubmit={(event) => {
          event.preventDefault();
          if (!running) void run();
        }}
      >
        <fieldset>
          <legend>Where</legend>
          <label class="field wide">
            <span>Device</span>
            <select value={String(first)} onChange={(event) => setFirst(Number(event.currentTarget.value))}>
              {model.offers.map((offer, index) => (
                <option key={index} value={String(index)}>
                  {offerWords(offer)}
                </option>
              ))}
            </select>
          </label>
          <label class="field wide">
            <span>Compare with</span>
            <select value={String(second)} onChange={(event) => setSecond(Number(event.currentTarget.value))}>
              <option value="-1">nothing</option>
              {model.offers.map((offer, index) => (
                <option key={index} value={String(index)}>
                  {offerWords(offer)}
                  {index === first ? " (again)" : ""}
                </option>
              ))}
            </select>
          </label>
        </fieldset>
        <fieldset>
          <legend>What goes in</legend>
          <Chosen given={given} onFiles={take} onRemove={() => setGiven(undefined)} />
          <InputRows ports={ports} wishes={wishes} onWishes={setWishes} />
        </fieldset>
        <fieldset class="numbers">
          <legend>How</legend>
          <NumberField label="Counted runs" value={repeat} onValue={setRepeat} least={1} most={1000} />
          <NumberField label="Runs before" value={warmup} onValue={setWarmup} least={0} most={1000} />
          <NumberField
            label="Threads"
            value={threads}
            onValue={setThreads}
            least={1}
            most={256}
            hint="its own choice"
          />
          <NumberField label="Seed" value={seed} onValue={setSeed} least={0} most={4294967295} />
          <label class="check">
            <input type="checkbox" checked={profile} onChange={(event) => setProfile(event.currentTarget.checked)} />
            Measure what a run is made of (slower)
          </label>
        </fieldset>
        <p class="run-go">
          <button type="submit" class="primary" disabled={running}>
            {second >= 0 ? "Run on both" : "Run"}
          </button>
          {running && (
            <>
              <button type="button" onClick={() => leaving.current?.abort()}>
                Stop
              </button>
              <Spinner says="Running" />
            </>
          )}
        </p>
        {failed !== undefined && (
          <ErrorBox title="It did not run:" says={failed} onDismiss={() => setFailed(undefined)} />
        )}
      </form>
      <div ref={results} class={running ? "results stale" : "results"} aria-busy={running}>
        {answer !== undefined && (
          <>
            <Results answer={answer.run} picture={answer.picture} />
            <details class="as-command">
              <summary>The same on the command line</summary>
              <Command text={answer.words} />
            </details>
          </>
        )}
        {answer === undefined && !running && (
          <p class="soft run-hint">
            A run works in a process of its own: a runtime that crashes takes nothing with it. What came out, how long
            it took and which device worked stand here afterwards.
          </p>
        )}
      </div>
    </div>
  );
}

interface ChosenProps {
  readonly given: Given | undefined;
  readonly onFiles: (files: readonly File[]) => void;
  readonly onRemove: () => void;
}

function Chosen({ given, onFiles, onRemove }: ChosenProps) {
  const [address, setAddress] = useState<string | undefined>(undefined);
  useEffect(() => {
    if (given?.picture === undefined) {
      setAddress(undefined);
      return;
    }
    const made = URL.createObjectURL(given.picture);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [given?.picture]);
  return (
    <div class="chosen">
      {given === undefined ? (
        <p>
          <Badge bare symbol="•" word="values made from the seed" tone="plain" />
        </p>
      ) : (
        <p class="chosen-file">
          {address !== undefined && <img src={address} alt="" width={64} height={64} />}
          <span>{harmless(given.name)}</span>
          <button type="button" class="small" aria-label={`Leave out ${given.name}`} onClick={onRemove}>
            ✕
          </button>
        </p>
      )}
      <p>
        <FileButton onFiles={onFiles} accept="image/*,.wav,.npy,.npz,.json,.txt,.pb,.bin">
          {given === undefined ? "Choose a picture, sound or array …" : "Choose another …"}
        </FileButton>{" "}
        <span class="soft small">or drop it on the page</span>
      </p>
    </div>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly least: number;
  readonly most: number;
  readonly hint?: string;
}

function NumberField({ label, value, onValue, least, most, hint }: NumberFieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        inputMode="numeric"
        min={least}
        max={most}
        step={1}
        value={value}
        placeholder={hint}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </label>
  );
}

const whole = (name: "seed" | "repeat" | "warmup" | "threads", text: string): Partial<RunRequest> =>
  text.trim() === "" ? {} : { [name]: Number(text) };

/** What one would type for it; a name that needs quotes gets them. */
function commandOf(model: string, request: RunRequest, input: string | undefined): string {
  const quoted = (text: string): string => (/^[\w.+:/=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  const [on] = request.on ?? [];
  const words = ["accelctl", "run", quoted(model)];
  if (input !== undefined) words.push(quoted(input));
  if (on !== undefined) {
    words.push("--device", on.device);
    if (on.delegate !== undefined) words.push("--delegate", on.delegate);
    if (on.route !== undefined) words.push("--route", on.route);
  }
  for (const [name, shape] of Object.entries(request.shapes ?? {}))
    words.push("--shape", quoted(`${name}=${shape.join("x")}`));
  if (request.seed !== undefined && request.seed !== 0) words.push("--seed", String(request.seed));
  if (request.threads !== undefined) words.push("--threads", String(request.threads));
  if (request.warmup !== undefined) words.push("--warmup", String(request.warmup));
  if (request.repeat !== undefined) words.push("--repeat", String(request.repeat));
  if (request.profile === true) words.push("--profile");
  return words.join(" ");
}
