/** accelctl board: accelerators of a board, read from its device tree before it boots. */

import { AccelctlError, CannotError } from "../base/errors.ts";
import { readBoard, type Board, type BoardDriver } from "../devices/board.ts";
import { readDeviceTree } from "../facts/devicetree.ts";
import { boardText } from "../print/board.ts";
import { openRoot } from "../root/open.ts";
import { flag, type Command } from "./command.ts";
import { toJson } from "./common.ts";

const command: Command = {
  name: "board",
  summary: "say which accelerators a device tree describes, and what would turn them on",
  usage: "[FILE.dtb...]",
  says:
    "Reads flattened device trees (or the machine's own, or that of a capture or image) and names each accelerator node: chip, " +
    "status, the platform device it becomes, which drivers would take it and since which kernel. For a node that is off it prints " +
    "an overlay that turns it on together with the IOMMU it needs, and says what the board's maker has still to supply. SoCs " +
    "known to hold an accelerator for which the tree has no node are named as well. Exit 3 when a file could not be read.",
  options: [{ name: "json", says: "print everything as JSON" }],
  examples: [
    { command: "accelctl board /usr/lib/linux-image-*/rockchip/rk3588*.dtb", says: "which boards have the NPU on" },
    { command: "accelctl board", says: "this board's own tree" },
    {
      command: "accelctl board x.dtb --json | jq -r '.boards[].accelerators[].off.overlay'",
      says: "the overlay alone",
    },
  ],
  run(invocation) {
    const read: { readonly file: string; readonly board: Board }[] = [];
    let failed = false;
    for (const file of invocation.args.length === 0 ? ["/"] : invocation.args) {
      try {
        read.push({ file: file === "/" ? "this machine" : file, board: boardOf(file) });
      } catch (error) {
        if (!(error instanceof AccelctlError)) throw error;
        failed = true;
        invocation.err(`${error.message}\n`);
      }
    }
    if (flag(invocation, "json"))
      invocation.out(toJson({ schema: 1, boards: read.map(({ file, board }) => plain(file, board)) }));
    else invocation.out(read.map(({ file, board }) => boardText(file, board, invocation.terminal)).join("\n"));
    return failed ? 3 : 0;
  },
};
export default command;

function boardOf(file: string): Board {
  const root = openRoot(file);
  const tree = readDeviceTree(root);
  if (tree.state === "read") return readBoard(root, tree.value);
  const why =
    tree.why ??
    { absent: "it has none", denied: "it may not be read", uncaptured: "none was captured", malformed: "" }[tree.state];
  throw new CannotError(`${root.name}: no device tree (${why}); give a .dtb file`);
}

/** For other programs: ids in place of catalogue objects. */
function plain(file: string, board: Board): unknown {
  return {
    file,
    model: board.model.state === "read" ? board.model.value : null,
    compatible: board.compatible,
    accelerators: board.accelerators.map(({ family, chip, nodes, drivers, off }) => ({
      family: family.id,
      chip: chip.id,
      name: chip.name,
      nodes,
      drivers: drivers.map(plainDriver),
      ...(off === undefined ? {} : { off }),
    })),
    expected: board.expected.map(({ family, chip, because, drivers }) => ({
      family: family.id,
      chip: chip.id,
      name: chip.name,
      because,
      drivers: drivers.map(plainDriver),
    })),
  };
}

function plainDriver({ route, driver }: BoardDriver): unknown {
  const { module, origin, since, until, config } = driver;
  return {
    module,
    route: route.name,
    origin,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(config === undefined ? {} : { config: config.symbol }),
  };
}
