/** What GET /api/about says: which server this is. */

export interface About {
  readonly name: "accelctl";
  readonly version: string;
  /** Name of the file or folder whose machine is shown; null: the machine the server runs on. */
  readonly machine: string | null;
}
