/** What views are made of. web/README.md says how to add to it. */

export { announce, Announcer } from "./announce.tsx";
export { Badge, layerStatus, opennessWord, severity, works, type BadgeProps, type Mark, type Tone } from "./badge.tsx";
export { Card, Facts, type Fact } from "./card.tsx";
export { Command, Commands, copy, CopyButton } from "./command.tsx";
export { Dialog, Drawer } from "./dialog.tsx";
export { useDrop, type DropTaker } from "./drop.ts";
export { EvidenceList, OutLink, RemedyBox, Source } from "./evidence.tsx";
export {
  bytes,
  celsius,
  count,
  harmless,
  hertz,
  isLink,
  percent,
  plural,
  seconds,
  unreadWord,
  valueOf,
  watts,
  type UnreadState,
} from "./format.ts";
export { Empty, ErrorBox, Spinner } from "./states.tsx";
export { arrange, DataTable, MANY, type Column, type DataTableProps } from "./table.tsx";
export { Tabs, type Tab } from "./tabs.tsx";
export { colourOf, theme } from "./theme.ts";
