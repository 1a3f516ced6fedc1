/** May the user who asks open a node for reading and writing, why, and which group would change it? path_resolution(7), group(5) */

import { chain, read, valueOf, type Reading } from "../base/reading.ts";
import type { Root, Stat } from "../root/root.ts";
import { readGroups, readUser, readUserNames, type User } from "./user.ts";

export interface Access {
  readonly opens: boolean;
  /** Why or why not, in words: "mode 0660 root:render, user is in render". */
  readonly because: string;
  /** The group that would let this user in, when joining one would. */
  readonly join?: string;
}

/** Answers about nodes of one machine; who asks and the names of groups are read once, when first needed. */
export function createAccess(root: Root) {
  let user: Reading<User> | undefined;
  let groups: Reading<ReadonlyMap<number, string>> | undefined;
  let users: Reading<ReadonlyMap<number, string>> | undefined;
  // 0 is root on every Linux system, also where no /etc/group was captured.
  const nameIn = (names: Reading<ReadonlyMap<number, string>>, id: number): Reading<string> =>
    chain(names, (map, from) => read(map.get(id) ?? String(id), from));
  const rules = {
    groupName: (gid: number, from: string): Reading<string> =>
      gid === 0 ? read("root", from) : nameIn((groups ??= readGroups(root)), gid),
    userName: (uid: number, from: string): Reading<string> =>
      uid === 0 ? read("root", from) : nameIn((users ??= readUserNames(root)), uid),
    accessTo: (path: string, stat: Reading<Stat>): Reading<Access> =>
      chain(stat, (node): Reading<Access> => {
        user ??= readUser(root);
        const said = root.access(path);
        const words = describe(rules, node, path);
        if (user.state !== "read") {
          // Without the user there is no reason to give, but the system's own answer stands.
          return chain(said, (opens, from) => read({ opens, because: words.mode }, from));
        }
        const computed = judge(user.value, node, words);
        if (said.state !== "read" || said.value === computed.opens) return read(computed, path);
        return read(
          said.value
            ? { opens: true, because: `${words.mode}; an access list lets this user in` }
            : {
                opens: false,
                because: `${computed.because}; the system still refuses (container, access list or policy)`,
              },
          said.from,
        );
      }),
  };
  return rules;
}

interface Words {
  /** "mode 0660 root:render" */
  readonly mode: string;
  readonly group: string;
}

function describe(
  rules: {
    groupName(gid: number, from: string): Reading<string>;
    userName(uid: number, from: string): Reading<string>;
  },
  node: Stat,
  path: string,
): Words {
  const owner = valueOf(rules.userName(node.uid, path)) ?? String(node.uid);
  const group = valueOf(rules.groupName(node.gid, path)) ?? String(node.gid);
  return { mode: `mode ${node.mode.toString(8).padStart(4, "0")} ${owner}:${group}`, group };
}

const READ_WRITE = 6;

// As the kernel: the first class that fits decides, even when a later one would allow more.
function judge(user: User, node: Stat, words: Words): Access {
  const bits = (shift: number): boolean => ((node.mode >> shift) & READ_WRITE) === READ_WRITE;
  const say = (opens: boolean, why: string): Access => ({ opens, because: `${words.mode}, ${why}` });
  if (user.overrides) return say(true, "user is root or may override permissions");
  if (user.uid === node.uid) return say(bits(6), "user owns it");
  if (user.gid === node.gid || user.groups.includes(node.gid)) return say(bits(3), `user is in ${words.group}`);
  if (bits(0)) return say(true, "everyone may");
  if (!bits(3)) return say(false, node.uid === 0 ? "only root may" : "only its owner may");
  const refusal = say(false, `user is not in ${words.group}`);
  // Root's group is no way in that anyone should take.
  return node.gid === 0 ? refusal : { ...refusal, join: words.group };
}
