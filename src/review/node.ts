/** Layer node: is the device node there, and may this user open it? */

import type { Evidence, Finding, Layer, Remedy } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import { shellWord } from "../base/shell.ts";
import { readNode, type DeviceNode } from "../facts/nodes.ts";
import { findUdevRules, type UdevRule } from "../facts/udev.ts";
import { globMatches } from "../families/match.ts";
import { known, seen, unseen, type RouteContext } from "./context.ts";
import { bindsOf } from "./driver.ts";

/** The device's nodes that this route is used through. */
export function nodesOf({ facts, device, route }: RouteContext): readonly DeviceNode[] {
  const spec = route.node;
  if (spec === undefined) return [];
  if (device.usb) {
    const path = valueOf(device.usb.node);
    return path === undefined ? [] : [readNode(facts.root, path)];
  }
  return device.nodes.filter((node) => spec.paths.some((path) => globMatches(path, node.path)));
}

export function judgeNode(context: RouteContext): Layer {
  const { facts, route } = context;
  const spec = route.node;
  if (spec === undefined) {
    return {
      name: "node",
      status: "unneeded",
      openness: "none",
      is: "none needed",
      evidence: [known(route.says, route.driver.source)],
    };
  }
  const own = nodesOf(context);
  const base = { name: "node", openness: "open" } as const;
  if (own.length === 0) {
    const is = spec.paths.join(" or ");
    // Not looked at and not there are different: a pasted lspci says nothing of /dev.
    const place = facts.root.list(spec.class === "unknown" ? "/dev" : `/sys/class/${spec.class}`);
    const looked = facts.nodes.state === "read" ? place : facts.nodes;
    if (facts.root.kind === "paste" && context.device.driver.state === "read") {
      return { ...base, is, status: "unknown", evidence: [seen(place.from, "the text shows no node of this device")] };
    }
    if (looked.state !== "read" && looked.state !== "absent") {
      return { ...base, is, status: "unknown", evidence: [unseen(looked)] };
    }
    return { ...base, is, status: "missing", evidence: [seen(place.from, "no entry for this device")] };
  }
  const is = own.map((node) => node.path).join(", ");
  const evidence: Evidence[] = [];
  let status: Layer["status"] = "ok";
  for (const node of [...own, ...alsoNodes(context)]) {
    if (node.stat.state === "absent") {
      status = "faulty";
      evidence.push(seen(node.path, "the kernel has the device, /dev has no node"));
      continue;
    }
    const access = node.access;
    if (access.state === "read") {
      evidence.push(seen(node.path, access.value.because));
      if (!access.value.opens) status = "faulty";
    } else {
      evidence.push(
        seen(node.path, node.stat.state === "read" ? "node exists; who asks is not captured" : "known to the kernel"),
      );
      // The node is there, as far as the kernel goes; whether somebody may open it is another person's question.
    }
  }
  return { ...base, is, status, evidence };
}

function alsoNodes({ facts, route }: RouteContext): readonly DeviceNode[] {
  const also = route.node?.also ?? [];
  if (also.length === 0) return [];
  return (valueOf(facts.nodes) ?? []).filter((node) => also.some((path) => globMatches(path, node.path)));
}

/** The udev rules that would give the node its group; none where the catalogue does not know what to match. */
function rulesOf({ device, route }: RouteContext): readonly string[] {
  const spec = route.node;
  if (spec === undefined || (spec.group === undefined && spec.mode === undefined)) return [];
  const set = [
    ...(spec.group === undefined ? [] : [`GROUP="${spec.group}"`]),
    ...(spec.mode === undefined ? [] : [`MODE="${spec.mode}"`]),
  ];
  if (device.usb) {
    // A stick may show another id after its firmware is loaded: one rule for each.
    return (device.chip?.matches ?? []).flatMap((match) => {
      if (match.bus !== "usb") return [];
      const [vendor = "", product = ""] = match.id.split(":");
      return [`SUBSYSTEM=="usb", ATTRS{idVendor}=="${vendor}", ATTRS{idProduct}=="${product}", ${set.join(", ")}`];
    });
  }
  const match = /\b(?:SUBSYSTEM|KERNEL)=="[^"]+"/.exec(spec.rule ?? "")?.[0];
  return match === undefined ? [] : [`${match}, ${set.join(", ")}`];
}

/** What a udev rule must name to be about this node: the stick's vendor ids, the class, the node's own name. */
function udevWords({ device, route }: RouteContext, node: DeviceNode): readonly string[] {
  if (device.usb) return (device.chip?.matches ?? []).flatMap((m) => (m.bus === "usb" ? [m.id.slice(0, 4)] : []));
  const key = /\b(?:SUBSYSTEM|KERNEL)=="([^"]+)"/.exec(route.node?.rule ?? "")?.[1];
  return [...(key === undefined ? [] : [key]), node.name];
}

/** Does the rule give the node to more than root? MODE alone does when others may read and write. */
function opensMore(rule: UdevRule): boolean {
  return rule.uaccess || rule.group !== undefined || /[67]$/.test(rule.mode ?? "");
}

/** The node is root's: a rule that is there was not applied, one that is not must be written, and what nobody saw is not "missing". */
function cureByRule(context: RouteContext, node: DeviceNode, rules: readonly string[]): Remedy {
  const found = findUdevRules(context.facts.root, udevWords(context, node));
  const there = valueOf(found)?.findLast(opensMore);
  const trigger = "sudo udevadm control --reload && sudo udevadm trigger";
  if (there) {
    return {
      says: `${there.file} line ${there.line} has a udev rule for it that this node does not show: replug or trigger`,
      commands: [trigger, ...joining(there.group)],
    };
  }
  const why =
    found.state === "read" || found.state === "absent"
      ? "no udev rule of this machine gives it to a group"
      : "which udev rules this machine has was not seen";
  return {
    says: `${why}: write one, then replug or trigger`,
    commands: [
      ...rules.map((rule) => `echo '${rule}' | sudo tee -a /etc/udev/rules.d/70-accelctl.rules`),
      trigger,
      ...joining(context.route.node?.group),
    ],
  };
}

const joining = (group: string | undefined): readonly string[] =>
  group === undefined ? [] : [`sudo usermod -aG ${shellWord(group)} $USER`];

export function findNode(context: RouteContext, layer: Layer): Finding | undefined {
  const { device, route, facts } = context;
  const spec = route.node;
  if (spec === undefined || layer.status === "ok" || layer.status === "unknown" || layer.status === "unneeded")
    return undefined;
  const base = { device: device.id, route: route.name, evidence: layer.evidence };
  const nodes = [...nodesOf(context), ...alsoNodes(context)];
  const closed = nodes.find((node) => valueOf(node.access)?.opens === false);
  if (closed) {
    const join = valueOf(closed.access)?.join;
    const wanted = join ?? spec.group;
    const rules = rulesOf(context);
    const cure: Remedy =
      join === undefined && rules.length > 0
        ? cureByRule(context, closed, rules)
        : {
            says: `join the group ${wanted ?? "that owns it"}, then log in again`,
            ...(wanted === undefined ? {} : { commands: joining(wanted) }),
          };
    const container = valueOf(facts.confinement)?.container;
    const inside =
      container?.state === "read"
        ? ` In a container, the group must be given to it too (--group-add ${wanted ?? "GROUP"}).`
        : "";
    return {
      ...base,
      rule: "node/permission",
      severity: "error",
      says: `this user may not open ${closed.path} (${valueOf(closed.access)?.because ?? ""})`,
      remedy: { ...cure, says: `${cure.says}.${inside}` },
    };
  }
  const gone = nodes.find((node) => node.stat.state === "absent");
  if (gone) {
    return {
      ...base,
      rule: "node/not-in-dev",
      severity: "error",
      says: `the kernel has ${gone.path} and it is not in this /dev`,
      remedy: {
        says: "in a container, pass the device in; on the host, let udev or devtmpfs make it",
        commands: [
          `docker run --device ${shellWord(gone.path)}${spec.group === undefined ? "" : ` --group-add "$(stat -c %g ${shellWord(gone.path)})"`} IMAGE`,
        ],
      },
    };
  }
  // No driver of this route, no node: the driver's finding says it, unless nobody could see whether there is a driver.
  const bound = valueOf(device.driver);
  if (bound === undefined && device.driver.state !== "absent") {
    return {
      ...base,
      rule: "node/missing",
      severity: "error",
      says: `${device.name} has no device node (${spec.paths.join(" or ")}): no driver that makes one is at work`,
      remedy: {
        says: `see whether ${route.driver.module ?? "a driver"} is in this kernel and loaded`,
        commands: [`modinfo ${route.driver.module ?? ""}; lsmod | grep ${route.driver.module ?? ""}`],
      },
    };
  }
  if (bound === undefined || !bindsOf(route.driver).includes(bound)) return undefined;
  return {
    ...base,
    rule: "node/missing",
    severity: "error",
    says: `${bound} is bound to ${device.name} and made no node (${spec.paths.join(" or ")}): its start failed half-way`,
    remedy: {
      says: "the kernel log says why",
      commands: [`sudo dmesg | grep -E ${shellWord(`${route.driver.module ?? device.address}|${device.address}`)}`],
    },
  };
}
