/** What a statement rests on: what the machine said, or what a source says. */

import type { Evidence, Remedy } from "../../../src/base/finding.ts";
import { Commands } from "./command.tsx";
import { harmless, isLink } from "./format.ts";

/** Sources read "https://… (day)", "file:line", "kernel 7.3.4 drivers/…"; only the address becomes a link. */
export function Source({ text }: { readonly text: string }) {
  const [, address = "", rest = ""] = /^(https:\/\/\S+)(.*)$/.exec(text) ?? [];
  if (!isLink(address)) return <>{harmless(text)}</>;
  return (
    <>
      <OutLink to={address} />
      {harmless(rest)}
    </>
  );
}

/** A link out of the page: opens beside it, and tells nobody where from. */
export function OutLink({ to, children }: { readonly to: string; readonly children?: string }) {
  if (!isLink(to)) return <>{harmless(to)}</>;
  return (
    <a href={to} target="_blank" rel="noreferrer noopener">
      {children ?? to.replace(/^https:\/\//, "")}
    </a>
  );
}

export function EvidenceList({ evidence }: { readonly evidence: readonly Evidence[] }) {
  if (evidence.length === 0) return <p class="soft">Nothing is told.</p>;
  return (
    <ul class="evidence">
      {evidence.map((one, i) =>
        "seen" in one ? (
          <li key={i}>
            <span class="how">seen</span>
            <span>
              <code>{harmless(one.seen)}</code> <span class="says">{harmless(one.says)}</span>
            </span>
          </li>
        ) : (
          <li key={i}>
            <span class="how">known</span>
            <span>
              {harmless(one.known)}{" "}
              <span class="soft source">
                <Source text={one.source} />
              </span>
            </span>
          </li>
        ),
      )}
    </ul>
  );
}

export function RemedyBox({ remedy }: { readonly remedy: Remedy }) {
  return (
    <div class="remedy">
      <p>
        <b>What to do.</b> {harmless(remedy.says)}
      </p>
      <Commands commands={remedy.commands ?? []} />
      {remedy.links !== undefined && remedy.links.length > 0 && (
        <ul class="links">
          {remedy.links.map((link) => (
            <li key={link}>
              <OutLink to={link} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
