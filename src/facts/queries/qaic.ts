/**
 * Qualcomm Cloud AI 100. include/uapi/drm/qaic_accel.h, DRM_IOCTL_QAIC_MANAGE with one status transaction, the same the driver
 * itself opens with. It goes to the card, so it waits for leave. No other transaction is ever sent.
 */

import { chain, malformed, map, read, type Reading } from "../../base/reading.ts";
import { numberIn, pack } from "../../uapi/layout.ts";
import * as uapi from "../../uapi/qaic.ts";
import type { Answers, Say } from "./conversation.ts";

/** The driver answers into the buffer the question came in. QAIC_MANAGE_MAX_MSG_LENGTH is 4 KiB with the message's head. */
const ROOM = 4096;

export function askQaic(say: Say) {
  const { qaic_manage_msg: message, qaic_manage_trans_hdr: header, qaic_manage_trans_status_from_dev: status } = uapi;
  const bytes = new Uint8Array(ROOM);
  bytes.set(pack(header, { type: uapi.QAIC_TRANS_STATUS_FROM_USR, len: header.size }));
  const answer = chain(
    say({
      name: "DRM_IOCTL_QAIC_MANAGE STATUS",
      code: uapi.DRM_IOCTL_QAIC_MANAGE,
      input: pack(message, { len: header.size, count: 1 }),
      pointers: [{ at: message.fields.data.offset, size: ROOM, bytes }],
      wakes: true,
    }),
    ({ struct, buffers }, from): Reading<Uint8Array> => {
      const length = numberIn(message, "len", struct, from);
      const [buffer] = buffers;
      if (length.state !== "read" || buffer === undefined) return malformed(from, "the answer is cut short");
      const transaction = buffer.subarray(0, length.value);
      const type = numberIn(status, "hdr.type", transaction, from);
      if (type.state !== "read" || type.value !== uapi.QAIC_TRANS_STATUS_TO_USR) {
        return malformed(from, "the card answered something other than its status");
      }
      return read(transaction, from);
    },
  );
  const field = (name: "major" | "minor" | "status" | "status_flags"): Reading<number> =>
    chain(answer, (transaction, from) => numberIn(status, name, transaction, from));

  return {
    protocol_version: chain(field("major"), (major) => map(field("minor"), (minor) => `${major}.${minor}`)),
    status: field("status"),
    checksums_required: map(field("status_flags"), (flags) => flags % 2 === 1),
  } satisfies Answers;
}
