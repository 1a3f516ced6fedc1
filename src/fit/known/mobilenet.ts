/** MobileNets. */

import type { KnownModel } from "../known.ts";

export default [] satisfies readonly KnownModel[];
