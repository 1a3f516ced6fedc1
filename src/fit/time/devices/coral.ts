/** Google Coral. */

import type { Device } from "../estimate.ts";

export default [] satisfies readonly Device[];
